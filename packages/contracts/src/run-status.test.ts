import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialStatus, isFinal, type RunStatus, runEvents, runStatuses, transition } from './run-status.ts';

describe('run status machine', () => {
  it.each([
    ['WAITING_FOR_APPROVAL', 'approve', 'IN_PROGRESS'],
    ['WAITING_FOR_APPROVAL', 'decline', 'DECLINED'],
    ['WAITING_FOR_APPROVAL', 'cancel', 'FAILURE'],
    ['IN_PROGRESS', 'succeed', 'SUCCESS'],
    ['IN_PROGRESS', 'fail', 'FAILURE'],
  ] as const)('%s + %s -> %s', (from, event, to) => {
    expect(transition(from, event)).toEqual({ kind: 'moves', from, to });
  });

  it('refuses a success before approval', () => {
    expect(transition('WAITING_FOR_APPROVAL', 'succeed')).toMatchObject({ kind: 'impossible' });
  });

  it('starts where the approval rule says', () => {
    expect([initialStatus(true), initialStatus(false)]).toEqual(['WAITING_FOR_APPROVAL', 'IN_PROGRESS']);
  });

  it('never leaves a final status, whatever happens', () => {
    fc.assert(
      fc.property(fc.constantFrom(...runStatuses), fc.array(fc.constantFrom(...runEvents)), (start, events) => {
        let status: RunStatus = start;
        let ended = isFinal(status);
        for (const event of events) {
          const step = transition(status, event);
          if (ended) expect(step.kind).toBe('final');
          if (step.kind === 'moves') status = step.to;
          ended = isFinal(status);
        }
      }),
    );
  });
});
