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
  const active = await store.countActive(ctx.db, ctx.orgId, action.id, entity);
  if (limits.concurrency !== null && active.all >= limits.concurrency)
    refuse(
      'limit_reached',
      `${active.all} of ${limits.concurrency} runs of "${action.identifier}" have not ended yet; wait until one has.`,
    );
  if (limits.concurrencyPerEntity !== null && entity !== null && active.ofEntity >= limits.concurrencyPerEntity)
    refuse(
      'limit_reached',
      `${active.ofEntity} of ${limits.concurrencyPerEntity} runs of "${action.identifier}" on "${entity}" have not ended yet; wait until one has.`,
    );
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
