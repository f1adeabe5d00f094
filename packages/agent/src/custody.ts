import type { Lease, Settlement } from '@quayside/contracts';
import { agentLeaseMs } from '@quayside/contracts/dispatch-rules';
import type { Claimed, Message } from '@quayside/delivery';
import type { ApiCall, PortalApi } from './api.ts';
import { portalCalls } from './portal-calls.ts';
import { type Result, withoutAnswer } from './report.ts';

/**
 * How a claimed run is held and given back; one kind per dialect of the portal.
 *
 *   leased         claim = lease with a fencing token; extended while the work goes on; one settle ends it, and until then
 *                  nothing is given up: if the agent dies, the run goes to another agent
 *   reported       (Kafka of a Port-compatible portal) the brokers hold it; log, response and status are reported call by call
 *   change         (Kafka) a change of the catalog: nobody is told what came of it
 *   acknowledged   (Port-compatible portals) begin = ack, which takes the run for good; log, response and status are
 *                  reported call by call
 */
export interface Job {
  run: Claimed;
  attempt: number;
  custody: Custody;
  /** As it came, checked; else it is built from the run. */
  message?: Message;
  /** Called when the outcome can not be lost any more: the portal has it, or the disk, or there is none to keep. */
  onSafe?(): void;
}

interface Custody {
  /** Once, before anything else. False = the run is not ours. */
  begin(): Promise<boolean>;
  /** On the process's monotonic clock: after this the run may be somebody else's. Nothing may be sent then. */
  heldUntilMs(): number;
  extend(): Promise<'held' | 'lost' | 'unknown'>;
  /** Gives an unused run back; nobody is to get it before `delayMs`. */
  release(delayMs: number): Promise<void>;
  reportCalls(result: Result): ReportCall[];
  /** Is there a run to write a log into? */
  readonly hasRun: boolean;
}

export interface ReportCall extends ApiCall {
  /** What to send instead when the portal refuses the body: too large, or something in an answer that it can not take. */
  smallerBody?: unknown;
}

/** The server's clock decides; this much earlier the agent itself stops trusting the lease. */
const leaseMarginMs = 2_000;

export class LeaseCustody implements Custody {
  readonly hasRun: boolean;
  private readonly api: PortalApi;
  private readonly runId: string;
  private readonly lease: Lease;
  private confirmedAtMs = performance.now();

  /** `hasRun` false: a message, whose id takes the run's place. */
  constructor(api: PortalApi, runId: string, lease: Lease, hasRun = true) {
    this.api = api;
    this.runId = runId;
    this.lease = lease;
    this.hasRun = hasRun;
  }

  async begin(): Promise<boolean> {
    return true;
  }

  heldUntilMs(): number {
    return this.confirmedAtMs + agentLeaseMs - leaseMarginMs;
  }

  async extend(): Promise<'held' | 'lost' | 'unknown'> {
    const askedAtMs = performance.now();
    const answer = await this.api.call(portalCalls.extend(this.runId, this.lease.token), { timeoutMs: 8_000 });
    if (answer.kind === 'ok') {
      this.confirmedAtMs = askedAtMs;
      return 'held';
    }
    return answer.kind === 'refused' && (answer.status === 409 || answer.status === 404) ? 'lost' : 'unknown';
  }

  async release(delayMs: number): Promise<void> {
    // A failure costs nothing but time: the lease runs out.
    await this.api.call(portalCalls.release(this.runId, this.lease.token, delayMs), { timeoutMs: 5_000 });
  }

  reportCalls(result: Result): ReportCall[] {
    const settlement: Settlement = { token: this.lease.token, ...result };
    return [{ ...portalCalls.settle(this.runId, settlement), smallerBody: shrink(settlement) }];
  }
}

/** Without what the target answered: log, outcome and report still fit. */
function shrink(settlement: Settlement): Settlement {
  const { response: _, ...rest } = settlement;
  const note = 'The answer of the target is not kept: the portal did not take it';
  return { ...rest, outcome: withoutAnswer(rest.outcome), logs: [...(rest.logs ?? []), note] };
}

/** Held by others (the brokers, or nobody any more), as long as nothing is committed. */
const heldElsewhere: Pick<Custody, 'begin' | 'heldUntilMs' | 'extend' | 'release'> = {
  begin: async () => true,
  heldUntilMs: () => Number.POSITIVE_INFINITY,
  extend: async () => 'held',
  // Nothing was taken; what is not committed, or whose claim runs out, is handed out again.
  release: async () => {},
};

export function reportedCustody(runId: string): Custody {
  return {
    ...heldElsewhere,
    hasRun: true,
    /** Line by line; the response before the status, because automations read it when the run ends. */
    reportCalls: (result) => [
      ...(result.logs ?? []).map((line) => portalCalls.addLog(runId, line)),
      ...(result.response === undefined ? [] : [portalCalls.setResponse(runId, result.response)]),
      ...(result.report === undefined ? [] : [portalCalls.patchRun(runId, result.report)]),
    ],
  };
}

export const changeCustody: Custody = { ...heldElsewhere, hasRun: false, reportCalls: () => [] };

export function acknowledgedCustody(api: PortalApi, runId: string): Custody {
  return { ...reportedCustody(runId), begin: () => acknowledge(api, runId) };
}

const acknowledgeTries = 3;

async function acknowledge(api: PortalApi, runId: string): Promise<boolean> {
  let wasCut = false;
  for (let tries = 0; tries < acknowledgeTries; tries += 1) {
    const answer = await api.call(portalCalls.acknowledge(runId));
    if (answer.kind === 'ok') {
      const { ackedCount } = answer.body as { ackedCount?: unknown };
      // After a cut call a count of 0 most likely means that the cut one arrived. Better twice than never.
      return ackedCount === undefined || Number(ackedCount) > 0 || wasCut;
    }
    if (answer.kind === 'refused') return false;
    wasCut ||= answer.isCut;
  }
  return wasCut;
}
