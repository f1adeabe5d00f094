import type { Delivery, DeliveryOutcome, Run } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { timelineOf, waitingReason } from './timeline.ts';

const run = (fields: Partial<Run> = {}): Run =>
  ({
    id: 'r_1',
    status: 'IN_PROGRESS',
    source: 'UI',
    createdBy: 'u1',
    createdAt: '2026-01-01T00:00:00.000Z',
    approval: null,
    pendingExecution: true,
    ...fields,
  }) as Run;
const answered = (statusCode: number): DeliveryOutcome =>
  ({ kind: 'answered', statusCode, headers: {}, body: '', durationMs: 200, isBodyTruncated: false }) as DeliveryOutcome;
const delivery = (fields: Partial<Delivery>): Delivery =>
  ({
    attempt: 1,
    holder: 'agent-1',
    state: 'settled',
    startedAt: '2026-01-01T00:00:01.000Z',
    endedAt: '2026-01-01T00:00:02.000Z',
    request: { method: 'POST', url: 'http://svc.internal:8080/x?token=1' },
    ...fields,
  }) as Delivery;
const titles = (of: Run, deliveries: Delivery[]) =>
  timelineOf(of, deliveries, (id) => (id === 'u1' ? 'Ana' : id)).map((moment) => moment.title);

describe('the timeline', () => {
  it('tells a success from the request to the end', () => {
    const done = run({ status: 'SUCCESS', endedAt: '2026-01-01T00:00:05.000Z', pendingExecution: false });
    expect(titles(done, [delivery({ outcome: answered(202) })])).toEqual([
      'Requested by Ana',
      'Claimed by agent agent-1',
      'Sent POST to svc.internal:8080',
      'Answered 202',
      'Ended: Success',
    ]);
  });

  it('numbers attempts, and says what became of a holder that went silent', () => {
    const moments = titles(run(), [
      delivery({ state: 'lost' }),
      delivery({ attempt: 2, state: 'open', endedAt: undefined } as never),
    ]);
    expect(moments).toEqual([
      'Requested by Ana',
      'Claimed by agent agent-1 (attempt 1)',
      'The holder went silent; the run is handed out again',
      'Claimed by agent agent-1 (attempt 2)',
    ]);
  });

  it('names who declined, and why', () => {
    const declined = run({ status: 'DECLINED', approval: { userId: 'u1', description: 'Not on a Friday' } });
    const moment = timelineOf(declined, [], () => 'Ana').find(({ key }) => key === 'approval');
    expect(moment).toMatchObject({ title: 'Declined by Ana', detail: 'Not on a Friday', tone: 'bad' });
  });
});

describe('why a run waits', () => {
  const [dev, plain] = [
    { id: 'a-1', labels: { env: 'dev' } },
    { id: 'a-2', labels: {} },
  ];
  const agents = { connected: [dev], pending: 1 };
  const forProd = run({ payload: { agentLabels: { env: 'prod' } } } as Partial<Run>);
  it.each([
    ['an approval', run({ status: 'WAITING_FOR_APPROVAL' }), [], agents, 'Somebody who may approve'],
    ['no agent', run(), [], { connected: [], pending: 1 }, 'No execution agent is connected'],
    ['its turn', run(), [], { connected: [dev], pending: 3 }, 'Waiting for an agent to take it. 3 runs are waiting.'],
    [
      'labels that nobody has',
      forProd,
      [],
      { connected: [dev, plain], pending: 1 },
      'Waiting for an agent with env=prod; connected: a-1 (env=dev), a-2 (no labels).',
    ],
    [
      'its turn with an agent that has the labels and more',
      forProd,
      [],
      { connected: [dev, { id: 'a-3', labels: { env: 'prod', region: 'eu' } }], pending: 1 },
      'Waiting for an agent to take it.',
    ],
    ['a second attempt', run(), [delivery({ outcome: answered(503) })], agents, 'The last attempt failed.'],
  ] as const)('%s', (_name, of, deliveries, known, text) => {
    expect(waitingReason(of, deliveries, known, true)?.text).toContain(text);
  });

  it('is not asked while somebody works on it, or when it has ended', () => {
    expect(waitingReason(run(), [delivery({ state: 'open' })], agents, true)).toBeUndefined();
    expect(waitingReason(run(), [delivery({ outcome: answered(200) })], agents, true)).toBeUndefined();
    expect(waitingReason(run({ status: 'FAILURE' }), [], agents, true)).toBeUndefined();
  });
});
