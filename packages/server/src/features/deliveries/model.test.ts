import type { Delivery, DeliveryOutcome } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { remedyOf, whyDelivery } from './model.ts';

const now = new Date('2026-05-01T12:00:00Z');
const later = new Date('2026-05-01T12:00:04Z');
const policy = { maxAttempts: 3, isSynchronized: false };
const answered = (statusCode: number): DeliveryOutcome => ({
  kind: 'answered',
  statusCode,
  headers: {},
  body: '',
  isBodyTruncated: false,
  durationMs: 5,
});
const attempt = (number: number, change: Partial<Delivery>): Delivery => ({
  attempt: number,
  holder: 'a',
  startedAt: now.toISOString(),
  state: 'settled',
  ...change,
});
const work = { holder: null, dueAt: later, tries: 1 };
const why = (attempts: Delivery[], open?: Parameters<typeof whyDelivery>[1], change: Partial<typeof policy> = {}) =>
  whyDelivery(attempts, open, { ...policy, ...change }, now);

describe('why a delivery stands where it does', () => {
  it.each<[string, ReturnType<typeof why>, object]>([
    [
      'waits for its next attempt',
      why([attempt(1, { outcome: answered(503) })], work),
      {
        state: 'waiting',
        text: /answered 503 .*The next attempt follows at 2026-05-01T12:00:04/,
        nextAttemptAt: later.toISOString(),
        triesLeft: 2,
        remedy: /fault is at the target/,
      },
    ],
    [
      'is under way',
      why([attempt(1, { state: 'open' })], { holder: 'a', dueAt: later, tries: 0 }),
      { state: 'under_way', text: /^a is at it, until/, triesLeft: 3 },
    ],
    [
      'was lost with its holder',
      why([attempt(1, { state: 'lost' })], { holder: null, dueAt: now, tries: 0 }),
      { state: 'waiting', text: /^a went silent.*as soon as somebody takes it/ },
    ],
    ['is in Kafka', why([], { holder: null, dueAt: null, tries: 0 }), { state: 'waiting', text: /in Kafka/ }],
    ['was delivered', why([attempt(1, { outcome: answered(204) })]), { state: 'delivered', text: /attempt 1: .* 204/ }],
    [
      'was given up after all tries',
      why([1, 2, 3].map((number) => attempt(number, { outcome: answered(503), isDead: number === 3 }))),
      { state: 'given_up', text: /Given up after 3 of 3 attempts/, triesLeft: 0 },
    ],
    [
      'was given up at once',
      why([attempt(1, { outcome: answered(404), isDead: true })]),
      { state: 'given_up', text: /would come to the same/, remedy: /path of the URL/ },
    ],
    [
      'is not repeated',
      why([attempt(1, { outcome: answered(502), isDead: true })], undefined, { isSynchronized: true }),
      { state: 'given_up', text: /synchronous delivery is not repeated/ },
    ],
    ['was taken', why([attempt(1, { state: 'acknowledged' })]), { state: 'taken', text: /a took it for good/ }],
    ['was given back', why([attempt(1, { state: 'returned' })]), { state: 'ended' }],
  ])('%s', (_name, found, expected) => {
    for (const [key, value] of Object.entries(expected))
      if (value instanceof RegExp) expect(found[key as keyof typeof found]).toMatch(value);
      else expect(found[key as keyof typeof found]).toEqual(value);
  });

  it('has a remedy for everything that may go wrong', () => {
    const durationMs = 1;
    const outcomes: DeliveryOutcome[] = [
      ...[301, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 500].map(answered),
      ...['ENOTFOUND', 'ECONNREFUSED', 'CERT_HAS_EXPIRED', 'ECONNRESET'].map(
        (code) => ({ kind: 'unreachable', code, message: '', durationMs }) as const,
      ),
      { kind: 'timed_out', timeoutMs: 1, message: '', durationMs },
      { kind: 'broken', message: '', durationMs },
      { kind: 'refused', message: '' },
      { kind: 'forbidden', message: '' },
      { kind: 'unpreparable', message: '' },
    ];
    expect(outcomes.map(remedyOf).every((sentence) => /^[A-Z].*\.$/.test(sentence))).toBe(true);
  });
});
