import type { DeliveryOutcome, DeliveryRequest } from '@quayside/contracts';
import { isDelivered } from '@quayside/contracts/delivery-rules';
import {
  buildMessage,
  type DeliveryAgent,
  type Invocation,
  isSynchronized,
  prepare,
  recordRequest,
  send,
  signRequest,
  type Unpreparable,
} from '@quayside/delivery';
import type { PortalApi } from './api.ts';
import { type Audit, fingerprint } from './audit.ts';
import type { Job } from './custody.ts';
import type { Log } from './log.ts';
import type { Incoming, MappingEntry } from './mapping.ts';
import type { MappingFile } from './mapping-file.ts';
import { portalCalls } from './portal-calls.ts';
import { buildResult, type Result } from './report.ts';
import { hideSecrets, openSecretInputs } from './secret-inputs.ts';
import type { TargetList } from './targets.ts';
import { userAgent } from './version.ts';

/**
 * One job, from message to result, in two halves: the plan (message → entry of the mapping), which costs nothing and can be
 * dropped, and the work (secrets → request → sign → send, at most once → result). Whether to try again is the portal's
 * decision, which sees the outcome.
 */
export interface WorkOptions {
  api: PortalApi;
  log: Log;
  agentId: string;
  clientSecret: string;
  /** The agent's own, which a mapping may put anywhere into a request. */
  ownSecrets: readonly string[];
  mapping: MappingFile;
  targets: TargetList;
  audit: Audit;
  timeoutMs: number;
  quotesAnswers: boolean;
  /** What is wrong with the agent itself, so that its runs say so, too. */
  misplaced(): string | undefined;
  /** Reused connections, for deliveries that the portal repeats when a connection broke. */
  pooled: DeliveryAgent;
  /** A connection per request, for synchronous deliveries: those are not repeated. */
  fresh: DeliveryAgent;
}

export type Plan =
  /** `notes`: what in the mapping did not work so far. */
  | { kind: 'entry'; entry: MappingEntry; message: Incoming; notes: string[] }
  /** No entry of the mapping wants it. */
  | { kind: 'ignored'; notes: string[] }
  /** The mapping itself is broken, and the run is to say so. */
  | { kind: 'unusable'; message: string };

export async function planWork(job: Job, options: WorkOptions): Promise<Plan> {
  const mapping = await options.mapping.current();
  if (mapping.kind === 'unusable') return mapping;
  const message: Incoming = job.message ?? buildMessage(job.run);
  const notes: string[] = [];
  const entry = mapping.entries.find((candidate) => candidate.wants(message, (sentence) => notes.push(sentence)));
  return entry === undefined ? { kind: 'ignored', notes } : { kind: 'entry', entry, message, notes };
}

export type WorkResult =
  | { kind: 'result'; result: Result }
  /** The lease ran out before anything was sent. */
  | { kind: 'expired' };

/** A target that takes longer than this has the lines so far shown in the portal meanwhile, for one more call. */
const showProgressAfterMs = 2_000;

export async function carryOut(
  job: Job,
  plan: Exclude<Plan, { kind: 'ignored' }>,
  options: WorkOptions,
  signal: AbortSignal,
): Promise<WorkResult> {
  const { run, attempt } = job;
  const isSync = isSynchronized(run.payload);
  const progress = new Progress(options.api, job.custody.hasRun ? run.id : undefined);
  progress.add(`Received by the agent ${options.agentId}${attempt > 1 ? ` (attempt ${attempt})` : ''}`);
  const misplaced = options.misplaced();
  if (misplaced !== undefined) progress.add(misplaced);
  let request: DeliveryRequest | undefined;
  if (plan.kind === 'unusable') {
    const outcome = { kind: 'unpreparable' as const, message: plan.message };
    logOutcome(options.log, job, outcome, undefined);
    return { kind: 'result', result: resultOf(outcome, undefined) };
  }

  const { entry } = plan;
  const note = (sentence: string): void => {
    options.log.warn({ run: run.id }, `mapping: ${sentence}`);
    progress.add(`Mapping: ${sentence}`);
  };
  for (const sentence of plan.notes) note(sentence);
  const { message, secrets: inputs } = openSecretInputs(plan.message, entry.secretPaths, options.clientSecret, note);
  const secrets = [...inputs, ...options.ownSecrets];
  const invocation = entry.request(message, note);
  const prepared = isInvocation(invocation) ? prepare(invocation, { runId: run.id, attempt, userAgent }) : invocation;

  let outcome: DeliveryOutcome;
  if (prepared.kind === 'prepared') {
    const { body } = prepared.request;
    const { body: recordedBody, ...head } = hideSecrets(recordRequest(prepared.request), secrets);
    // Who lets no answer be quoted lets no body be recorded either.
    request = { ...head, ...(options.quotesAnswers && recordedBody !== undefined ? { body: recordedBody } : {}) };
    const { method, url } = request;
    progress.add(
      `Prepared the request: ${body === undefined ? 'no body' : `${Buffer.byteLength(body)} bytes of JSON`}, signed`,
    );
    if (performance.now() > job.custody.heldUntilMs()) return { kind: 'expired' };
    const record = { run: run.id, attempt, method, url };
    const obstacle = await findObstacle(prepared.request, record, options);
    if (obstacle === undefined) {
      progress.add(`Sending ${method} ${url}`);
      options.log.info({ run: run.id, attempt, method, url }, 'sending');
      const signed = signRequest(prepared.request, options.clientSecret, Math.floor(Date.now() / 1000));
      progress.start();
      outcome = await send(signed, {
        dispatcher: isSync ? options.fresh : options.pooled,
        timeoutMs: options.timeoutMs,
        signal,
      });
      await recordOutcome(outcome, record, options);
    } else outcome = obstacle;
  } else {
    outcome = prepared;
  }
  await progress.stop();
  logOutcome(options.log, job, outcome, request);

  const mapped =
    isInvocation(invocation) && outcome.kind === 'answered'
      ? entry.report?.({ message, request: invocation, answer: outcome }, note)
      : undefined;
  return { kind: 'result', result: hideSecrets(resultOf(outcome, mapped), secrets) };

  function resultOf(outcome: DeliveryOutcome, mapped: Result['report']): Result {
    const { quotesAnswers } = options;
    return buildResult({
      outcome,
      isSynchronized: isSync,
      request,
      lines: progress.unreported(),
      quotesAnswers,
      mapped,
    });
  }
}

type RecordedRequest = { run: string; attempt: number; method: string; url: string };

/** What on the customer's side keeps the request from being sent: the list of targets, or an audit file that is full. */
async function findObstacle(
  request: { method: string; url: URL; body: string | undefined },
  record: RecordedRequest,
  { targets, audit, log }: WorkOptions,
): Promise<DeliveryOutcome | undefined> {
  const reason = await targets.refusal(request.method, request.url);
  try {
    if (reason !== undefined) await audit.write({ event: 'refused', ...record, reason });
    else if (audit.isOn) await audit.write({ event: 'sending', ...record, ...fingerprint(request.body) });
  } catch (error) {
    const message = `the audit file of the agent can not be written (${(error as Error).message}), so nothing is sent; mend QUAYSIDE_AGENT_AUDIT_FILE where the agent runs`;
    log.error({ run: record.run }, message);
    // Nothing was sent, and another agent or a later attempt may fare better.
    return { kind: 'unreachable', code: 'AUDIT_FILE', message, durationMs: 0 };
  }
  return reason === undefined ? undefined : { kind: 'forbidden', message: reason };
}

async function recordOutcome(outcome: DeliveryOutcome, record: RecordedRequest, options: WorkOptions): Promise<void> {
  const details = {
    outcome: outcome.kind,
    ...('statusCode' in outcome && { status: outcome.statusCode }),
    ...('durationMs' in outcome && { durationMs: Math.round(outcome.durationMs) }),
  };
  await options.audit.write({ event: 'outcome', ...record, ...details }).catch((error: unknown) => {
    // It was sent and its first line is on record; the run must hear of it.
    options.log.error({ err: error, run: record.run }, 'the outcome could not be written to QUAYSIDE_AGENT_AUDIT_FILE');
  });
}

function isInvocation(value: Invocation | Unpreparable): value is Invocation {
  return !('kind' in value);
}

/** Status and timing only: what was sent and answered stays out of the agent's own log. */
function logOutcome(log: Log, job: Job, outcome: DeliveryOutcome, request: { url: string } | undefined): void {
  const { kind } = outcome;
  const details = {
    run: job.run.id,
    attempt: job.attempt,
    url: request?.url,
    outcome: kind,
    ...('statusCode' in outcome && { status: outcome.statusCode }),
    ...('message' in outcome && { problem: outcome.message }),
    ...('durationMs' in outcome && { durationMs: Math.round(outcome.durationMs) }),
  };
  if (isDelivered(outcome)) log.info(details, 'delivered');
  else log.warn(details, 'not delivered');
}

/** The lines of one attempt. Normally they all go with the result; a slow target has them shown before. */
class Progress {
  private readonly api: PortalApi;
  /** Undefined = nobody to show it to. */
  private readonly runId: string | undefined;
  private readonly lines: string[] = [];
  private reportedCount = 0;
  private timer: NodeJS.Timeout | undefined;
  private reporting: Promise<void> | undefined;

  constructor(api: PortalApi, runId: string | undefined) {
    this.api = api;
    this.runId = runId;
  }

  add(line: string): void {
    this.lines.push(line);
  }

  start(): void {
    if (this.runId === undefined) return;
    this.timer = setTimeout(() => {
      this.reporting = this.reportSoFar();
    }, showProgressAfterMs);
  }

  /** Waits for a report that is under way, so that no line appears twice. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    await this.reporting;
  }

  unreported(): string[] {
    return this.lines.slice(this.reportedCount);
  }

  private async reportSoFar(): Promise<void> {
    if (this.runId === undefined) return;
    const count = this.lines.length;
    const answer = await this.api.call(portalCalls.addLog(this.runId, this.lines.join('\n')), { timeoutMs: 5_000 });
    if (answer.kind === 'ok') this.reportedCount = count;
  }
}
