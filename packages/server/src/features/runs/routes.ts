import { Readable } from 'node:stream';
import { dispatchRoutes, maxLogLines, maxLogMatches, type QueryOf, runRoutes, usualOrder } from '@quayside/contracts';
import { type Http, refuse } from '../../platform/http.ts';
import type { Wakes } from '../../platform/wake.ts';
import * as service from './service.ts';
import type { Dispatch } from './service-dispatch.ts';
import { readLogText, streamRun } from './service-stream.ts';
import { whyRun } from './service-why.ts';

const defaultRuns = 100;
const defaultLogs = 50;

function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  return refuse('invalid_request', 'The header Idempotency-Key must be 1 to 255 visible ASCII characters, once.');
}

/** Nothing of it is asked for = the plain list, in the order of its index. */
function arrangementOf({ search, group, sort, order, offset }: QueryOf<typeof runRoutes.list>) {
  if (search === undefined && group === undefined && sort === undefined && order === undefined && !offset) return {};
  const by = sort ?? 'started';
  return {
    arrangement: {
      sort: by,
      isDescending: (order ?? usualOrder(by)) === 'DESC',
      offset: offset ?? 0,
      ...(search === undefined ? {} : { text: search }),
      ...(group === undefined ? {} : { group }),
    },
  };
}

export function serveRuns(http: Http, dependencies: { runs: service.RunService; wakes: Wakes }): void {
  const { runs, wakes } = dependencies;
  http.serve(runRoutes.execute, async ({ world, params, query, body, request }) => ({
    run: await runs.execute(world, params.action_identifier, {
      ...body,
      runAs: query.run_as,
      idempotencyKey: idempotencyKey(request.headers['idempotency-key']),
    }),
  }));
  http.serve(runRoutes.preview, async ({ world, params, query, body }) => ({
    preview: await runs.preview(world, params.action_identifier, { ...body, runAs: query.run_as }),
  }));
  http.serve(runRoutes.list, async ({ world, query }) => ({
    runs: await service.listRuns(world, {
      limit: query.limit ?? defaultRuns,
      ...(query.entity === undefined ? {} : { entity: query.entity }),
      ...(query.blueprint === undefined ? {} : { blueprint: query.blueprint }),
      ...(query.active === undefined ? {} : { active: query.active }),
      ...(query.user_email === undefined ? {} : { userEmail: query.user_email }),
      ...(query.user_id === undefined ? {} : { userId: query.user_id }),
      ...(query.external_run_id === undefined ? {} : { externalRunId: query.external_run_id }),
      ...(query.action === undefined ? {} : { action: query.action }),
      ...(query.status === undefined ? {} : { statuses: query.status }),
      ...(query.source === undefined ? {} : { sources: query.source }),
      ...(query.exclude === undefined ? {} : { exclude: query.exclude }),
      ...(query.awaiting_me === true ? { awaiting: world.actor.id } : {}),
      ...(query.before === undefined ? {} : { before: new Date(query.before) }),
      ...(query.before_run === undefined ? {} : { beforeRun: query.before_run }),
      ...arrangementOf(query),
    }),
  }));
  http.serve(runRoutes.get, async ({ world, params }) => ({ run: await service.readRun(world, params.run_id) }));
  http.serve(runRoutes.patch, async ({ world, params, body }) => ({
    run: await runs.patch(world, params.run_id, body),
  }));
  http.serve(runRoutes.approve, async ({ world, params, body }) => ({
    run: await runs.approve(world, params.run_id, body),
  }));
  http.serve(runRoutes.approvers, async ({ world, params, query }) => ({
    approvers: await service.readApprovers(world, params.run_id, query.include_pending_approvers ?? false),
  }));
  http.serve(runRoutes.addLog, async ({ world, params, body }) => ({
    runLog: await runs.addLog(world, params.run_id, body),
  }));
  http.serve(runRoutes.addLogs, async ({ world, params, body }) => ({
    count: await runs.addLogs(world, params.run_id, body.messages),
  }));
  http.serve(runRoutes.listLogs, async ({ world, params, query }) =>
    service.listLogs(world, params.run_id, { limit: query.limit ?? defaultLogs, after: query.offset ?? 0 }),
  );
  http.serve(runRoutes.logLines, async ({ world, params, query }) =>
    service.readLogLines(
      world,
      params.run_id,
      query.last === undefined ? { limit: query.limit ?? maxLogLines, after: query.after ?? 0 } : { last: query.last },
    ),
  );
  http.serve(runRoutes.searchLogs, async ({ world, params, query }) =>
    service.searchLogs(world, params.run_id, { text: query.text, after: query.after ?? 0, limit: maxLogMatches }),
  );
  http.serveStream(runRoutes.logText, async ({ world, params, reply }) => {
    await service.readRun(world, params.run_id);
    reply
      .type('text/plain; charset=utf-8')
      .header('content-disposition', `attachment; filename="${params.run_id}.log"`)
      .send(Readable.from(readLogText(world, params.run_id)));
  });
  http.serve(runRoutes.setResponse, async ({ world, params, body }) => ({
    run: await runs.setResponse(world, params.run_id, body.response),
  }));
  http.serve(runRoutes.why, async ({ world, params }) => ({ why: await whyRun(world, params.run_id) }));
  http.serve(runRoutes.deliveries, async ({ world, params }) => ({
    deliveries: await service.readDeliveries(world, params.run_id),
  }));
  http.serve(runRoutes.affectedEntities, async ({ world, params }) => ({
    entities: await service.readAffectedEntities(world, params.run_id),
  }));
  http.serveStream(runRoutes.stream, async ({ world, params, query, request, reply }) => {
    await service.readRun(world, params.run_id);
    const header = request.headers['last-event-id'];
    const cursor = Number((typeof header === 'string' ? header : query.after) ?? 0);
    if (!Number.isSafeInteger(cursor) || cursor < 0)
      refuse('invalid_request', 'query.after must be the number of a line.');
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // Proxies that would hold the stream back until its end.
      'x-accel-buffering': 'no',
      'x-trace-id': request.id,
    });
    reply.raw.flushHeaders();
    await streamRun(world, wakes, params.run_id, cursor, reply.raw, http.draining).catch((error: Error) => {
      world.log.warn({ error: error.message }, 'a live view ended early');
      reply.raw.destroy();
    });
  });
}

export function serveDispatch(http: Http, dispatch: Dispatch): void {
  http.serve(dispatchRoutes.claim, async ({ world, body, reply }) => {
    const hungUp = new AbortController();
    let giveBack: (() => Promise<void>) | undefined;
    // A caller that hangs up gets nothing, and nothing stays leased to it: what was claimed for it is due again at once.
    reply.raw.on('close', () => {
      if (reply.raw.writableFinished) return;
      hungUp.abort();
      void giveBack?.();
    });
    const claimed = await dispatch.claimRuns(world, body, hungUp.signal);
    if (hungUp.signal.aborted) await claimed.giveBack();
    else giveBack = claimed.giveBack;
    return { runs: claimed.runs, ...(claimed.messages.length > 0 ? { messages: claimed.messages } : {}) };
  });
  http.serve(dispatchRoutes.acknowledge, async ({ world, body }) => {
    if (body.runId !== undefined) return { ackedCount: await dispatch.acknowledge(world, [body.runId], true) };
    if (body.runIds === undefined) refuse('invalid_request', 'body.runIds (a list) or body.runId is required.');
    return { ackedCount: await dispatch.acknowledge(world, body.runIds, false) };
  });
  http.serve(dispatchRoutes.extend, async ({ world, params, body }) => ({
    lease: await dispatch.extend(world, params.run_id, body.token),
  }));
  http.serve(dispatchRoutes.release, async ({ world, params, body }) => {
    await dispatch.release(world, params.run_id, body.token, body.delayMs);
    return {};
  });
  http.serve(dispatchRoutes.settle, async ({ world, params, body }) => dispatch.settle(world, params.run_id, body));
  http.serve(dispatchRoutes.settleMany, async ({ world, body }) => ({
    results: await dispatch.settleMany(world, body.settlements),
  }));
  http.serve(dispatchRoutes.listAgents, async ({ world }) => dispatch.agents(world));
  http.serve(dispatchRoutes.claimWorkflowNodes, async () => ({ nodeRuns: [] }));
  http.serve(dispatchRoutes.acknowledgeWorkflowNode, async () => ({ acked: false }));
}
