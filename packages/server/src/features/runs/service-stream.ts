import type { ServerResponse } from 'node:http';
import { isFinal } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import type { Wakes } from '../../platform/wake.ts';
import { listDeliveriesOf } from '../deliveries/index.ts';
import { toRun } from './model.ts';
import { runTopic } from './service.ts';
import { findRun, listLogs } from './store.ts';

/**
 * The live page of one run, as server-sent events.
 *
 *   event: log   id: <line>     data: RunLog       each line once, in order, from the one after the cursor on
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
      const end = () => {
        response.off('drain', end);
        response.off('close', end);
        resolve();
      };
      response.on('drain', end);
      response.on('close', end);
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
      const state = await readTogether(world, runId, cursor);
      if (!state) break;
      if (state.count > 0) {
        await write(state.logs);
        cursor += state.count;
        lastWriteAt = Date.now();
      }
      if (state.run !== shown) {
        shown = state.run;
        lastWriteAt = Date.now();
        await write(`event: run\ndata: ${state.run}\n\n`);
      }
      if (state.count === batch || isWoken) continue;
      if (state.isOver) {
        await write('event: end\ndata: {}\n\n');
        break;
      }
      if (Date.now() - lastWriteAt >= heartbeatMs) {
        lastWriteAt = Date.now();
        await write(': still here\n\n');
      }
      await Promise.race([woken, sleep(untilNextPoll(runId))]);
    }
  } finally {
    off();
    draining.removeEventListener('abort', endEarly);
    response.end();
  }
}

interface State {
  /** The events of the lines after the cursor, as they are sent. */
  logs: string;
  count: number;
  /** The run as JSON. */
  run: string;
  isOver: boolean;
}

/**
 * Viewers that are woken together and are equally far read together: a line costs one read, however many look on. A read is
 * joined only before it begins, so it sees everything that woke those who join.
 */
const aboutToBegin = new Map<string, Promise<State | undefined>>();

function readTogether(world: World, runId: string, cursor: number): Promise<State | undefined> {
  const key = `${world.orgId} ${runId} ${cursor}`;
  let reading = aboutToBegin.get(key);
  if (!reading) {
    reading = new Promise((resolve, reject) => {
      setImmediate(() => {
        aboutToBegin.delete(key);
        readState(world, runId, cursor).then(resolve, reject);
      });
    });
    aboutToBegin.set(key, reading);
  }
  return reading;
}

async function readState(world: World, runId: string, cursor: number): Promise<State | undefined> {
  return world.transaction(async (ctx) => {
    const run = await findRun(ctx.db, ctx.orgId, runId);
    if (!run) return undefined;
    const logs = await listLogs(ctx.db, ctx.orgId, runId, { after: cursor, limit: batch });
    const isOver =
      isFinal(run.status) &&
      !run.isPending &&
      !(await listDeliveriesOf(ctx.db, ctx.orgId, runId)).some((delivery) => delivery.state === 'open');
    return {
      logs: logs.map((log) => `event: log\nid: ${log.line}\ndata: ${JSON.stringify(log)}\n\n`).join(''),
      count: logs.length,
      run: JSON.stringify(toRun(run)),
      isOver,
    };
  });
}

const linesAtOnce = 1_000;

/** The log as text, one line after the other, as fast as it is taken; memory is one batch. */
export async function* readLogText(world: World, runId: string): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const lines = await world.transaction((ctx) => listLogs(ctx.db, ctx.orgId, runId, { after, limit: linesAtOnce }));
    if (lines.length > 0) yield lines.map((log) => `${log.createdAt} ${log.message}\n`).join('');
    if (lines.length < linesAtOnce) return;
    after += lines.length;
  }
}

/** Viewers of one run look at the same moments, together; those of another run at others. */
function untilNextPoll(runId: string): number {
  let shift = 0;
  for (let index = 0; index < runId.length; index++) shift = (shift * 31 + runId.charCodeAt(index)) % pollMs;
  return pollMs - ((Date.now() + shift) % pollMs);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
