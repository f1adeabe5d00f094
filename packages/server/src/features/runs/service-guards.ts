import { createHash } from 'node:crypto';
import type { Action, ActionLimits, GuardrailSettings, Run, Verdict } from '@quayside/contracts';
import type { Ctx } from '../../platform/ctx.ts';
import { refuse } from '../../platform/refusal.ts';
import type { Ask } from '../actions/index.ts';
import { organizationSettings, type Person } from '../identity/index.ts';
import type { StoredRun } from './model.ts';
import * as store from './store-approvals.ts';

/** What may stop a run before it starts: freeze windows, limits, a repeated request. */

/** The rules of actions, given by app.ts: runs know actions, and how one is judged is theirs. */
export interface Guardrails {
  /** `undefined` = a credential of the organization. */
  judgeExecute(ctx: Ctx, ask: Ask, person: Person | undefined): Promise<Verdict>;
  /** Everybody active who may approve what the requester asks for. */
  findApprovers(ctx: Ctx, ask: Ask, requester: Person | undefined): Promise<Person[]>;
  hasApproverPolicy(ctx: Ctx, actionId: string): Promise<boolean>;
  limitsOf(ctx: Ctx, actionId: string): Promise<ActionLimits>;
}

/** Tells them that a run waits, and says in a sentence for its log who was told; given by app.ts. */
export type NotifyApprovers = (
  ctx: Ctx,
  request: {
    run: Run;
    action: Action;
    /** Secrets are masked. */
    inputs: Readonly<Record<string, unknown>>;
    requester: { by: Readonly<Record<string, unknown>>; name: string };
  },
  asked: readonly Person[],
  isByPolicy: boolean,
) => Promise<string>;

export async function guardrailSettings(ctx: Ctx): Promise<GuardrailSettings> {
  return (await organizationSettings(ctx)) as GuardrailSettings;
}

/** The window that is on for the action, if there is one. */
export function freezeOf(
  settings: GuardrailSettings,
  actionIdentifier: string,
  now: Date,
): { to: string; reason: string } | undefined {
  return settings.freezes?.find(
    ({ from, to, actions }) =>
      Date.parse(from) <= now.getTime() &&
      now.getTime() < Date.parse(to) &&
      (actions === undefined || actions.includes(actionIdentifier)),
  );
}

/** What keeps everybody from executing an action at this moment, by its identifier. */
export async function findHolds(
  ctx: Ctx,
  asked: readonly { action: Action; limits: ActionLimits }[],
  entity: string | null,
): Promise<ReadonlyMap<string, Verdict>> {
  const settings = await guardrailSettings(ctx);
  const limited = asked.filter(({ limits }) => limits.concurrency !== null || limits.concurrencyPerEntity !== null);
  const ids = limited.map(({ action }) => action.id);
  const active = ids.length === 0 ? undefined : await store.countActive(ctx.db, ctx.orgId, ids, entity);
  const holds = new Map<string, Verdict>();
  for (const { action, limits } of asked) {
    const { identifier } = action;
    const freeze = freezeOf(settings, identifier, ctx.now());
    const reached = active && limitReached(action, limits, active.get(action.id), entity);
    if (freeze) {
      const until = new Date(freeze.to).toISOString();
      const because = `frozen until ${until}: ${freeze.reason}`;
      holds.set(identifier, { isAllowed: false, hold: 'frozen', until, because });
    } else if (reached !== undefined)
      holds.set(identifier, {
        isAllowed: false,
        hold: 'limit_reached',
        because: `limit reached: ${reached}`,
        remedy: 'Wait until one has.',
      });
  }
  return holds;
}

export function assertNotFrozen(settings: GuardrailSettings, actionIdentifier: string, now: Date): void {
  const freeze = freezeOf(settings, actionIdentifier, now);
  if (freeze) refuse('frozen', `Nothing is started until ${new Date(freeze.to).toISOString()}: ${freeze.reason}`);
}

/** Under a lock that other executes of the action wait for, so the limit holds exactly. */
export async function assertWithinLimits(
  ctx: Ctx,
  guardrails: Guardrails,
  action: Action,
  entity: string | null,
): Promise<void> {
  const limits = await guardrails.limitsOf(ctx, action.id);
  if (limits.concurrency === null && limits.concurrencyPerEntity === null) return;
  await store.lockFor(ctx.db, ctx.orgId, `limit ${action.id}`);
  const active = await store.countActive(ctx.db, ctx.orgId, [action.id], entity);
  const reached = limitReached(action, limits, active.get(action.id), entity);
  if (reached !== undefined) refuse('limit_reached', `${reached}; wait until one has.`);
}

function limitReached(
  { identifier }: Action,
  { concurrency, concurrencyPerEntity }: ActionLimits,
  active: store.Active = { all: 0, ofEntity: 0 },
  entity: string | null,
): string | undefined {
  if (concurrency !== null && active.all >= concurrency)
    return `${active.all} of ${concurrency} runs of "${identifier}" have not ended yet`;
  if (concurrencyPerEntity !== null && entity !== null && active.ofEntity >= concurrencyPerEntity)
    return `${active.ofEntity} of ${concurrencyPerEntity} runs of "${identifier}" on "${entity}" have not ended yet`;
  return undefined;
}

/** One person's key for one request; the run that it stands for, if it was used before. */
export interface RequestKey {
  key: string;
  request: Buffer;
}

export function requestKey(key: string, request: readonly unknown[]): RequestKey {
  return { key, request: createHash('sha256').update(JSON.stringify(request)).digest() };
}

export async function findRepeated(ctx: Ctx, { key, request }: RequestKey): Promise<string | undefined> {
  await store.lockFor(ctx.db, ctx.orgId, `key ${key}`);
  const known = await store.findKey(ctx.db, ctx.orgId, { key, request });
  if (known && !known.isSameRequest)
    refuse(
      'key_reused',
      `The Idempotency-Key "${key}" was used for another request, which made the run ${known.runId}. Use a new key for a new request.`,
    );
  return known?.runId;
}

/** A private run is seen by administrators, its requester and its approvers. */
export async function maySee(ctx: Ctx, run: StoredRun): Promise<boolean> {
  const { actor } = ctx;
  if (!run.isPrivate || actor.kind !== 'user' || actor.role === 'Admin' || run.createdBy === actor.id) return true;
  return (await store.listApprovers(ctx.db, ctx.orgId, run.id)).some((approver) => approver.userId === actor.id);
}
