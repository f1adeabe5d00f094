import type { Delivery, DeliveryOutcome, Run } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { timelineOf } from './timeline.ts';

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
