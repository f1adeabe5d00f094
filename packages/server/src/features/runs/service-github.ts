import { type DeliveryOutcome, type DeliveryRequest, isDelivered } from '@quayside/contracts';
import { type DeliveryAgent, exchange, recordBody } from '@quayside/delivery';
import type { World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import { claim, type LeasedWork, lockLease, retryWork, settleWork } from '../../platform/leases.ts';
import type { GithubPayload } from './model-payload.ts';
import { githubQueue, mustLock, type RunService } from './service.ts';
import { findRun, insertLogs } from './store.ts';

/**
 * Workflows of GitHub (spec/actions.md §1.11.3): dispatched with the organization's token, the secret GITHUB_TOKEN, then
 * watched until they end. GitHub gives dispatches no idempotency key, so one whose answer was lost is not sent again.
 *
 *   dispatched (the run knows the workflow run) → watched, by a lease, every 5 s to 60 s → SUCCESS | FAILURE
 */
const githubTokenSecret = 'GITHUB_TOKEN';

const firstWatchMs = 5_000;
const slowestWatchMs = 60_000;

/** Conclusions that count as success; everything else GitHub may say is a failure. */
const successes = new Set(['success', 'neutral', 'skipped']);

interface Call {
  outcome: DeliveryOutcome;
  body: Record<string, unknown>;
}

export interface Github {
  /** Starts the workflow; `id` is there when GitHub says which workflow run it started. */
  dispatch(
    world: World,
    payload: GithubPayload,
  ): Promise<{ outcome: DeliveryOutcome; request: DeliveryRequest; id?: string; link?: string }>;
  /** Looks after due workflow runs; returns what it looked at. */
  watch(limit: number): Promise<LeasedWork[]>;
}

export function createGithub(dependencies: {
  database: Database;
  baseUrl: string;
  dispatcher: DeliveryAgent;
  timeoutMs: number;
  holder: string;
  runs: RunService;
  secretOf(world: World, name: string): Promise<string | undefined>;
  worldOf(orgId: string): World;
}): Github {
  const { database, baseUrl, dispatcher, timeoutMs, holder, runs, secretOf, worldOf } = dependencies;

  async function call(token: string, method: string, path: string, body?: unknown): Promise<Call> {
    const outcome = await exchange(
      {
        url: new URL(`${baseUrl}${path}`),
        method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/vnd.github+json',
          'x-github-api-version': '2022-11-28',
          'user-agent': 'quayside',
          'accept-encoding': 'identity',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      },
      { dispatcher, timeoutMs },
    );
    return { outcome, body: outcome.kind === 'answered' ? parse(outcome.body) : {} };
  }

  const repositoryPath = ({ org, repo }: GithubPayload) =>
    `/repos/${encodeURIComponent(org)}/${encodeURIComponent(repo)}`;

  async function dispatch(world: World, payload: GithubPayload) {
    const path = `${repositoryPath(payload)}/actions/workflows/${encodeURIComponent(payload.workflow)}/dispatches`;
    const request = { method: 'POST', url: `${baseUrl}${path}` };
    const unprepared = (message: string) => ({ outcome: { kind: 'unpreparable' as const, message }, request });
    const token = await secretOf(world, githubTokenSecret);
    if (token === undefined)
      return unprepared(
        `the organization has no secret ${githubTokenSecret}; store a token that may run workflows under that name`,
      );
    const { ref: given, ...inputs } = payload.workflowInputs;
    const names = Object.keys(inputs);
    if (names.length > 10)
      return unprepared(
        `GitHub takes at most 10 workflow inputs, and these are ${names.length}: ${names.join(', ')}; pass one object instead`,
      );
    let ref = given;
    if (typeof ref !== 'string' || ref === '') {
      const repository = await call(token, 'GET', repositoryPath(payload));
      if (!isDelivered(repository.outcome)) return { outcome: repository.outcome, request };
      ref = repository.body.default_branch;
    }
    const dispatched = {
      ref,
      inputs: Object.fromEntries(names.map((name) => [name, asText(inputs[name])])),
      return_run_details: true,
    };
    const { outcome, body } = await call(token, 'POST', path, dispatched);
    const id = body.workflow_run_id;
    return {
      outcome,
      request: { ...request, ...recordBody(JSON.stringify(dispatched)) },
      ...(typeof id === 'number' ? { id: String(id) } : {}),
      ...(typeof body.html_url === 'string' ? { link: body.html_url } : {}),
    };
  }

  async function watchOne(work: LeasedWork): Promise<void> {
    const world = worldOf(work.orgId);
    const run = await world.transaction((ctx) => findRun(ctx.db, ctx.orgId, work.key));
    const token = await secretOf(world, githubTokenSecret);
    const payload = run?.payload as GithubPayload | null | undefined;
    const answer =
      run?.status === 'IN_PROGRESS' && run.externalRunId !== null && payload && token !== undefined
        ? await call(token, 'GET', `${repositoryPath(payload)}/actions/runs/${encodeURIComponent(run.externalRunId)}`)
        : undefined;
    await world.transaction(async (ctx) => {
      const locked = await mustLock(ctx, work.key);
      const lease = await lockLease(ctx.db, { orgId: ctx.orgId, key: work.key, token: work.token });
      if (!lease) return;
      if (locked.status !== 'IN_PROGRESS' || !run) return settleWork(ctx.db, lease.id);
      const { status, conclusion, html_url: link } = answer?.body ?? {};
      if (status !== 'completed') {
        // Unreachable, refused or not finished: asked again, ever more slowly. A gone workflow run can be ended by hand.
        const ageMs = ctx.now().getTime() - locked.createdAt.getTime();
        const delayMs = Math.min(Math.max(firstWatchMs, ageMs / 10), slowestWatchMs);
        return retryWork(ctx.db, lease.id, lease.queue, delayMs);
      }
      await settleWork(ctx.db, lease.id);
      const isSuccess = typeof conclusion === 'string' && successes.has(conclusion);
      const message = `The workflow ended: ${String(conclusion)}.`;
      await insertLogs(ctx.db, ctx.orgId, work.key, 'quayside', [message]);
      await runs.move(ctx, locked, isSuccess ? 'succeed' : 'fail', {
        ...(typeof link === 'string' ? { link } : {}),
        ...(isSuccess ? {} : { summary: message }),
      });
    });
  }

  return {
    dispatch,
    async watch(limit) {
      const taken = await database.system((tx) =>
        claim(tx, { queue: githubQueue, holder, limit, leaseMs: timeoutMs + 15_000 }),
      );
      await Promise.all(taken.map(watchOne));
      return taken;
    },
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
