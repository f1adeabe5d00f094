import { describe, expect, it } from 'vitest';
import { asText, lineOfHash, partAround, plainText, shownLines, splitByMatch } from './log-model.ts';

describe('lines of a log', () => {
  it('are shown and copied without the colours of terminals', () => {
    const message = '\u001b[31mERROR\u001b[0m: no route';
    expect(plainText(message)).toBe('ERROR: no route');
    expect(asText([{ id: 'r:1', line: 1, runId: 'r', message, createdBy: 'x', createdAt: 'T' }])).toBe(
      'T ERROR: no route\n',
    );
  });

  it('are split where they match, and put together again unchanged', () => {
    expect(splitByMatch('Test the tests', 'TEST')).toEqual(['', 'Test', ' the ', 'test', 's']);
    expect(splitByMatch('İstanbul İ', 'i').join('')).toBe('İstanbul İ');
  });

  it('are named in an address', () => {
    expect(lineOfHash('#L12')).toBe(12);
    for (const hash of ['', '#L', '#L0', '#L1x', '#12', '#L12345678901']) expect(lineOfHash(hash)).toBeUndefined();
  });

  it('are shown in parts where there are very many, with the wanted line inside', () => {
    expect(partAround(5, 900)).toBe(0);
    expect(partAround(5, 1_000_000)).toBe(0);
    expect(partAround(500_000, 1_000_000)).toBe(450_000);
    expect(partAround(1_000_000, 1_000_000)).toBe(1_000_000 - shownLines);
  });
});
