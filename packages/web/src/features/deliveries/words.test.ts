import { describe, expect, it } from 'vitest';
import {
  answerText,
  fromLocal,
  holderOfAgent,
  progressOf,
  replayTitle,
  requestText,
  toLocal,
  verdictOf,
} from './words.ts';

describe('an attempt in a word', () => {
  it.each([
    [{ state: 'settled', isDelivered: true }, 'Delivered'],
    [{ state: 'settled', isDelivered: false }, 'Failed'],
    [{ state: 'settled', isDelivered: false, isDead: true }, 'Dead letter'],
    [{ state: 'open' }, 'Being sent'],
    [{ state: 'lost' }, 'Holder lost'],
  ] as const)('%o is %s', (entry, word) => expect(verdictOf(entry).word).toBe(word));
});

it('shows request and answer as they went over the wire', () => {
  expect(requestText({ method: 'POST', url: 'http://h/x', headers: { A: '1' }, body: '{"a":1}' })).toBe(
    'POST http://h/x\nA: 1\n\n{\n  "a": 1\n}',
  );
  expect(
    answerText({ kind: 'answered', statusCode: 500, headers: {}, body: 'oh', isBodyTruncated: true, durationMs: 1 }),
  ).toBe('500\n\noh\n… (only the beginning is kept)');
});

it('knows an agent again after its restart', () => {
  expect(holderOfAgent('build-host-4711')).toBe('build-host-*');
  expect(holderOfAgent('shop')).toBe('shop');
});

it('goes from instants to local time and back', () => {
  expect(fromLocal(toLocal('2026-05-01T12:00:00.000Z'))).toBe('2026-05-01T12:00:00.000Z');
  expect([toLocal(undefined), fromLocal('')]).toEqual(['', undefined]);
});

describe('a replay', () => {
  const replay = { id: 'replay_1', createdAt: '', by: 'ada', filter: { dead: true, kind: 'change' } };
  const counts = { replayed: 6, skipped: 1, open: 2, delivered: 3, failed: 1, searched: 0.5 };

  it('says what was asked for, and how far it has come', () => {
    expect(replayTitle(replay)).toBe('Replay of all with dead, kind change');
    expect(replayTitle({ filter: { subject: 'r_1' } })).toBe('Replay of r_1');
    expect(progressOf({ ...replay, ...counts, state: 'running', total: 10 })).toEqual({
      percent: 50,
      text: 'Going on: 3 delivered, 1 failed, 1 skipped, 2 under way, of 10.',
    });
    expect(progressOf({ ...replay, ...counts, state: 'done' })).toMatchObject({ percent: 100 });
  });

  it('of more than could be counted says how much is looked through', () => {
    expect(progressOf({ ...replay, ...counts, open: 5, state: 'running' })).toEqual({
      percent: 25,
      text: 'Going on: 3 delivered, 1 failed, 1 skipped, 5 under way; 50 % of the ledger looked through.',
    });
  });
});
