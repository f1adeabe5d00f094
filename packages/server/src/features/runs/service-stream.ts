import type { ServerResponse } from 'node:http';
import { isFinal } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import type { Wakes } from '../../platform/wake.ts';
import { listDeliveriesOf } from '../deliveries/index.ts';
import { toRun } from './model.ts';
import { runTopic } from './service.ts';
import { findRun, listLogsAfter } from './store.ts';

/**
 * The live page of one run, as server-sent events.
 *
 *   event: log   id: <cursor>   data: RunLog       each line once, in order, from the cursor on
 *   event: run                  data: Run          whenever status, label, link … changed
 *   event: end                                     the run has ended and nobody is at it any more
 *
 * A browser that reconnects sends Last-Event-ID and gets what it missed, nothing twice. Memory per viewer is one batch of
 * lines: the next is read when the socket has taken the last. Woken by the run's topic, with a sparse poll behind it.
 */
const batch = 500;
const pollMs = 5_000;
const heartbeatMs = 15_000;

export async function streamRun(
  world: World,
  wakes: Wakes,
  runId: string,
  after: number,
  response: ServerResponse,
  draining: AbortSignal,
): Promise<void> {
  let isClosed = false;
  let wake: () => void = () => undefined;
  response.on('close', () => {
    isClosed = true;
    wake();
  });
  const endEarly = () => {
    wake();
    // A browser that does not read would hold the drain; it comes back with its cursor.
    if (response.writableNeedDrain) response.destroy();
  };
  draining.addEventListener('abort', endEarly);
  const off = wakes.on(runTopic(world.orgId, runId), () => wake());
  const write = async (text: string): Promise<void> => {
    if (isClosed || draining.aborted || response.write(text)) return;
    await new Promise<void>((resolve) => {
      response.once('drain', resolve);
      response.once('close', resolve);
    });
  };

  let cursor = after;
  let shown = '';
  let lastWriteAt = Date.now();
  try {
    while (!isClosed && !draining.aborted) {
      // Armed before reading, so that a change during the read is not slept over.
      let isWoken = false;
      const woken = new Promise<void>((resolve) => {
        wake = () => {
          isWoken = true;
          resolve();
        };
      });
      const state = await world.transaction(async (ctx) => {
        const run = await findRun(ctx.db, ctx.orgId, runId);
        const logs = await listLogsAfter(ctx.db, ctx.orgId, runId, cursor, batch);
        const isBusy =
          run !== undefined &&
          (run.isPending ||
            (await listDeliveriesOf(ctx.db, ctx.orgId, runId)).some((delivery) => delivery.state === 'open'));
        return { run, logs, isBusy };
      });
      if (!state.run) break;
      for (const log of state.logs) {
        await write(`event: log\nid: ${log.id}\ndata: ${JSON.stringify(log)}\n\n`);
        cursor = Number(log.id);
        lastWriteAt = Date.now();
      }
      const run = JSON.stringify(toRun(state.run));
      if (run !== shown) {
        shown = run;
        lastWriteAt = Date.now();
        await write(`event: run\ndata: ${run}\n\n`);
      }
      if (state.logs.length === batch || isWoken) continue;
      if (isFinal(state.run.status) && !state.isBusy) {
        await write('event: end\ndata: {}\n\n');
        break;
      }
      if (Date.now() - lastWriteAt >= heartbeatMs) {
        lastWriteAt = Date.now();
        await write(': still here\n\n');
      }
      await Promise.race([woken, sleep(pollMs)]);
    }
  } finally {
    off();
    draining.removeEventListener('abort', endEarly);
    response.end();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
