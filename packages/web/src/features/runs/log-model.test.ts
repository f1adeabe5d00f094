import type { RunLog } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { asText, findMatches, plainText, splitByMatch, withNewLines } from './log-model.ts';

const line = (id: string, message = id): RunLog => ({ id, runId: 'r', message, createdBy: 'x', createdAt: 'T' });

describe('lines of a log', () => {
  it('are added once, and nothing new is the same array', () => {
    const known = [line('1'), line('2')];
    expect(withNewLines(known, [line('2'), line('3')]).map((each) => each.id)).toEqual(['1', '2', '3']);
    expect(withNewLines(known, [line('1')])).toBe(known);
  });

  it('are searched without case and without the colours of terminals', () => {
    const lines = [line('1', '\u001b[31mERROR\u001b[0m: no route'), line('2', 'fine'), line('3', 'an error')];
    expect(findMatches(lines, 'error')).toEqual([0, 2]);
    expect(findMatches(lines, 'error: no')).toEqual([0]);
    expect(findMatches(lines, '')).toEqual([]);
    expect(plainText(lines[0]?.message ?? '')).toBe('ERROR: no route');
    expect(asText(lines.slice(0, 1))).toBe('T ERROR: no route\n');
  });

  it('are split where they match, and put together again unchanged', () => {
    expect(splitByMatch('Test the tests', 'TEST')).toEqual(['', 'Test', ' the ', 'test', 's']);
    expect(splitByMatch('İstanbul İ', 'i').join('')).toBe('İstanbul İ');
  });
});
