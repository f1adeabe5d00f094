import { type Role, roles } from '@quayside/contracts';
import type { Ctx } from '../../platform/ctx.ts';
import { newId } from '../../platform/ids.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { normaliseEmail } from './model.ts';
import { changeFoundUser, deleteFoundUser, putInTeams, toShownUser } from './service-people.ts';
import * as store from './store.ts';
import * as people from './store-people.ts';

/**
 * Writes to the catalog's `_team` and `_user` are writes to teams and users. They happen here, in the writer's transaction;
 * the database then brings the twin up to date (migration 0016), so the two can not differ.
 */
export interface Twin {
  identifier: string;
  title: string;
  team: readonly string[];
  properties: Readonly<Record<string, unknown>>;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

export async function saveTeamOf(ctx: Ctx, before: Twin | undefined, twin: Twin): Promise<void> {
  const description = textOf(twin.properties.description);
  const existing = await people.findTeamByIdentifier(ctx.db, ctx.orgId, twin.identifier);
  const namesake = await people.findTeam(ctx.db, ctx.orgId, twin.title);
  if (namesake?.name === twin.title && namesake.identifier !== twin.identifier)
    refuse('identifier_taken', `A team with the name "${twin.title}" is already taken.`);
  if (!existing) {
    await people.insertTeam(ctx.db, ctx.orgId, { identifier: twin.identifier, name: twin.title, description });
    await ctx.emit({ name: 'team.created', subject: twin.title, after: await mustFindTeam(ctx, twin.identifier) });
  } else if (before?.title !== twin.title || textOf(before.properties.description) !== description) {
    await people.updateTeam(ctx.db, ctx.orgId, existing.id, { name: twin.title, description });
    const after = await mustFindTeam(ctx, twin.identifier);
    await ctx.emit({ name: 'team.updated', subject: twin.title, before: existing, after });
  }
}

async function mustFindTeam(ctx: Ctx, identifier: string) {
  return (await people.findTeamByIdentifier(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Team', identifier);
}

export async function removeTeamOf(ctx: Ctx, identifier: string): Promise<void> {
  const before = await mustFindTeam(ctx, identifier);
  await people.deleteTeam(ctx.db, ctx.orgId, before.id);
  await ctx.emit({ name: 'team.deleted', subject: before.name, before });
}

/** A new one is an invited user without a link: an administrator makes it when the person is to come. */
export async function saveUserOf(ctx: Ctx, before: Twin | undefined, twin: Twin): Promise<void> {
  const email = normaliseEmail(twin.identifier);
  if (email !== twin.identifier || !/^[^@\s]+@[^@\s]+$/.test(email))
    refuse('invalid_request', `body.identifier is "${twin.identifier}"; a user's is an e-mail address in lower case.`);
  const role = roles.find((name) => name === twin.properties.port_role);
  const user = await store.findUserByEmail(ctx.db, email);
  if (!user) {
    const id = newId('user');
    await store.insertUser(ctx.db, {
      orgId: ctx.orgId,
      id,
      email,
      ...namesOf(twin),
      role: role ?? 'Member',
      status: 'INVITED',
      passwordHash: undefined,
    });
    await putInTeams(ctx, id, twin.team, 'body.team');
    const after = await store.findUserByEmail(ctx.db, email);
    await ctx.emit({ name: 'user.created', subject: email, after: after && (await toShownUser(ctx, after)) });
    return;
  }
  const wanted = twin.properties.status;
  await changeFoundUser(ctx, user, {
    ...(before?.title === twin.title ? {} : namesOf(twin)),
    ...(role && role !== user.role ? { roles: [role as Role] } : {}),
    ...(wanted !== before?.properties.status && (wanted === 'Active' || wanted === 'Disabled')
      ? { status: wanted === 'Active' ? ('ACTIVE' as const) : ('DISABLED' as const) }
      : {}),
    ...(twin.team.join('\n') === before?.team.join('\n') ? {} : { teams: [...twin.team] }),
  });
}

/** The first word is the first name; the e-mail address stands for no name at all. */
function namesOf({ identifier, title }: Twin): { firstName: string; lastName: string } {
  if (title === identifier) return { firstName: '', lastName: '' };
  const [firstName = '', ...rest] = title.trim().split(/\s+/);
  return { firstName, lastName: rest.join(' ') };
}

export async function removeUserOf(ctx: Ctx, email: string): Promise<void> {
  await deleteFoundUser(ctx, (await store.findUserByEmail(ctx.db, email)) ?? refuseMissing('User', email));
}
