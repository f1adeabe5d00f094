import type { RunLog } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { LogWindow, pageLines } from './log-window.ts';

const log = (line: number): RunLog => ({
  id: `r:${line}`,
  line,
  runId: 'r',
  message: `line ${line}`,
  createdBy: 'x',
  createdAt: 'T',
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => log(from + index));

describe('what is held of a log', () => {
  it('has each line once, however often it comes', () => {
    const window = new LogWindow();
    let changes = 0;
    window.subscribe(() => (changes += 1));
    window.add(range(1, 3));
    window.add(range(2, 4));
    window.add(range(1, 4));
    expect(window.lines().map((line) => line.line)).toEqual([1, 2, 3, 4]);
    expect([changes, window.version()]).toEqual([2, 2]);
  });

  it('knows what is missing of a range', () => {
    const window = new LogWindow();
    window.add(range(1, 10), 2_345);
    expect(window.total).toBe(2_345);
    expect(window.missing(1, 10)).toEqual([]);
    expect(window.missing(1, 11)).toEqual([0]);
    expect(window.missing(900, 1_600)).toEqual([500, 1_000, 1_500]);
    expect(window.missing(901, 900)).toEqual([]);
    window.add(range(1_001, 1_500));
    expect(window.missing(900, 1_600)).toEqual([500, 1_500]);
    // The last page is short.
    expect(window.missing(2_340, 9_999)).toEqual([2_000]);
    window.add(range(2_001, 2_345));
    expect(window.missing(2_001, 9_999)).toEqual([]);
    expect(window.isWhole).toBe(false);
  });

  it('keeps what was looked at last, and never more than its pages', () => {
    const window = new LogWindow();
    window.add(range(1, pageLines), 1_000_000);
    for (let page = 1; page <= 200; page++) {
      window.missing(1, 10);
      window.add(range(page * pageLines + 1, (page + 1) * pageLines));
    }
    expect(window.line(1)?.line).toBe(1);
    expect(window.line(pageLines + 1)).toBeUndefined();
    const held = Array.from({ length: 201 }, (_, page) => window.line(page * pageLines + 1)).filter(Boolean);
    expect(held).toHaveLength(40);
    expect(window.isWhole).toBe(false);
  });
});
