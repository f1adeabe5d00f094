import type { Workflow, WorkflowBody } from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { isViolation } from '../../platform/db.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { findMistakes } from './model.ts';
import * as store from './store.ts';

function assertSound(body: WorkflowBody): void {
  const mistakes = findMistakes(body);
  const [first] = mistakes;
  if (first) refuse('invalid_request', `${first.path} ${first.message}`, mistakes);
}

async function orTaken<T>(identifier: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isViolation(error, '23505'))
      refuse('identifier_taken', `A workflow with the identifier "${identifier}" is already taken.`);
    throw error;
  }
}

async function get(ctx: Ctx, identifier: string): Promise<Workflow> {
  return (await store.findWorkflow(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Workflow', identifier);
}

export async function createWorkflow(world: World, body: WorkflowBody): Promise<Workflow> {
  assertSound(body);
  return orTaken(
    body.identifier,
    world.transaction(async (ctx) => {
      await store.insertWorkflow(ctx.db, ctx.orgId, body, ctx.actor.id);
      const after = await get(ctx, body.identifier);
      await ctx.emit({ name: 'workflow.created', subject: body.identifier, after });
      return after;
    }),
  );
}

export async function listWorkflows(world: World): Promise<Workflow[]> {
  return world.transaction((ctx) => store.listWorkflows(ctx.db, ctx.orgId));
}

export async function readWorkflow(world: World, identifier: string): Promise<Workflow> {
  return world.transaction((ctx) => get(ctx, identifier));
}

export async function replaceWorkflow(world: World, identifier: string, body: WorkflowBody): Promise<Workflow> {
  assertSound(body);
  return orTaken(
    body.identifier,
    world.transaction(async (ctx) => {
      const before = (await store.lockWorkflow(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Workflow', identifier);
      await store.updateWorkflow(ctx.db, ctx.orgId, identifier, body, ctx.actor.id);
      const after = await get(ctx, body.identifier);
      await ctx.emit({ name: 'workflow.updated', subject: body.identifier, before, after });
      return after;
    }),
  );
}

export async function removeWorkflow(world: World, identifier: string): Promise<void> {
  await world.transaction(async (ctx) => {
    const before = (await store.lockWorkflow(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Workflow', identifier);
    await store.deleteWorkflow(ctx.db, ctx.orgId, identifier);
    await ctx.emit({ name: 'workflow.deleted', subject: identifier, before });
  });
}
