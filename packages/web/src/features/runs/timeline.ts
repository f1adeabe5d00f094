import { type Delivery, describeOutcome, isDelivered, isFinal, type Run } from '@quayside/contracts';
import { statusWords } from '../../ui/index.ts';

/** What happened to a run, in order, from what the server recorded; the last entry may still be going on. */
export interface Moment {
  key: string;
  title: string;
  at: string | undefined;
  detail?: string | undefined;
  tone: 'done' | 'good' | 'bad' | 'now';
}

export function timelineOf(run: Run, deliveries: readonly Delivery[], nameOf: (id: string) => string): Moment[] {
  const moments: Moment[] = [
    {
      key: 'requested',
      title: `Requested by ${nameOf(run.createdBy)}`,
      at: run.createdAt,
      detail: sourceWords[run.source],
      tone: 'done',
    },
  ];
  const decision = decisionOf(run, nameOf);
  if (run.status === 'WAITING_FOR_APPROVAL')
    moments.push({ key: 'approval', title: 'Waiting for approval', at: undefined, tone: 'now' });
  else if (decision) moments.push(decision);
  for (const delivery of deliveries) moments.push(...momentsOf(delivery, deliveries.length > 1));
  if (isFinal(run.status)) {
    moments.push({
      key: 'ended',
      title: `Ended: ${statusWords[run.status]}`,
      at: run.endedAt,
      tone: run.status === 'SUCCESS' ? 'good' : 'bad',
    });
  } else if (run.status === 'IN_PROGRESS' && deliveries.at(-1)?.state !== 'open') {
    const isHanded = deliveries.some(isHandedOver);
    moments.push({
      key: 'now',
      title: isHanded ? 'Working; the service reports here' : 'Waiting to be claimed',
      at: undefined,
      tone: 'now',
    });
  }
  return moments;
}

const sourceWords = { UI: 'from the portal', API: 'through the API', AUTOMATION: 'by an automation' } as const;

function decisionOf(run: Run, nameOf: (id: string) => string): Moment | undefined {
  const { approval } = run;
  if (!approval) return undefined;
  const isDeclined = run.status === 'DECLINED';
  const by = typeof approval.userId === 'string' ? ` by ${nameOf(approval.userId)}` : '';
  return {
    key: 'approval',
    title: `${isDeclined ? 'Declined' : 'Approved'}${by}`,
    at: undefined,
    detail: typeof approval.description === 'string' ? approval.description : undefined,
    tone: isDeclined ? 'bad' : 'done',
  };
}

function momentsOf(delivery: Delivery, isOneOfMany: boolean): Moment[] {
  const who = delivery.holder === 'server' ? 'the portal itself' : `agent ${delivery.holder}`;
  const nth = isOneOfMany ? ` (attempt ${delivery.attempt})` : '';
  const moments: Moment[] = [
    {
      key: `claimed ${delivery.attempt}`,
      title: `Claimed by ${who}${nth}`,
      at: delivery.startedAt,
      tone: delivery.state === 'open' && !delivery.outcome ? 'now' : 'done',
    },
  ];
  const { request, outcome } = delivery;
  if (request && outcome) {
    moments.push({
      key: `sent ${delivery.attempt}`,
      title: `Sent ${request.method} to ${hostOf(request.url)}`,
      at: sentAt(delivery),
      tone: 'done',
    });
  }
  if (outcome) {
    moments.push({
      key: `answered ${delivery.attempt}`,
      title: outcome.kind === 'answered' ? `Answered ${outcome.statusCode}` : 'No usable answer',
      detail: isDelivered(outcome) ? undefined : `The target ${describeOutcome(outcome)}`,
      at: delivery.endedAt,
      tone: isDelivered(outcome) ? 'good' : 'bad',
    });
  } else if (delivery.state === 'lost') {
    moments.push({
      key: `lost ${delivery.attempt}`,
      title: 'The holder went silent; the run is handed out again',
      at: delivery.endedAt,
      tone: 'bad',
    });
  } else if (delivery.state === 'returned') {
    moments.push({
      key: `returned ${delivery.attempt}`,
      title: 'Given back unused',
      at: delivery.endedAt,
      tone: 'done',
    });
  } else if (delivery.state === 'acknowledged') {
    moments.push({
      key: `taken ${delivery.attempt}`,
      title: 'Taken for good by the client',
      at: delivery.endedAt,
      tone: 'done',
    });
  }
  return moments;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function sentAt(delivery: Delivery): string | undefined {
  const { outcome, endedAt } = delivery;
  if (!outcome || !endedAt || !('durationMs' in outcome)) return undefined;
  return new Date(Math.max(Date.parse(delivery.startedAt), Date.parse(endedAt) - outcome.durationMs)).toISOString();
}

function isHandedOver(delivery: Delivery): boolean {
  return delivery.state === 'acknowledged' || (delivery.outcome !== undefined && isDelivered(delivery.outcome));
}
