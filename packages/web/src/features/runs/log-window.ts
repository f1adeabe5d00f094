import type { RunLog } from '@quayside/contracts';

/**
 * What the browser holds of a log: pages of lines around what is looked at, and how many lines there are. However long the log
 * is, no more than `keptPages` pages are held; those that were not looked at for longest go first.
 *
 * A line is known by its number, so one that comes twice (a stream that repeats itself, a page that overlaps) is held once.
 */
export const pageLines = 500;
const keptPages = 40;

export class LogWindow {
  /** Least recently used first. */
  private readonly pages = new Map<number, RunLog[]>();
  private readonly listeners = new Set<() => void>();
  private changes = 0;
  private count = 0;

  /** Lines of the log, as far as is known. */
  get total(): number {
    return this.count;
  }

  add(lines: readonly RunLog[], total = 0): void {
    const before = this.count;
    let isNew = false;
    for (const log of lines) {
      const index = Math.floor((log.line - 1) / pageLines);
      const page = this.pages.get(index) ?? [];
      this.pages.set(index, page);
      const place = (log.line - 1) % pageLines;
      isNew ||= page[place] === undefined;
      page[place] = log;
      if (log.line > this.count) this.count = log.line;
    }
    if (total > this.count) this.count = total;
    if (!isNew && this.count === before) return;
    for (const index of this.pages.keys()) {
      if (this.pages.size <= keptPages) break;
      this.pages.delete(index);
    }
    this.changes += 1;
    for (const listener of this.listeners) listener();
  }

  line(number: number): RunLog | undefined {
    return this.pages.get(Math.floor((number - 1) / pageLines))?.[(number - 1) % pageLines];
  }

  /** What has to be asked for to show the lines of the range: the line before the first, of each page that lacks one. */
  missing(from: number, to: number): number[] {
    const asked: number[] = [];
    if (from > to) return asked;
    const last = Math.min(to, this.count);
    for (let index = Math.floor((Math.max(from, 1) - 1) / pageLines); index * pageLines < last; index++) {
      const page = this.pages.get(index);
      const first = index * pageLines + 1;
      let isComplete = page !== undefined;
      for (let number = Math.max(from, first); isComplete && number <= Math.min(last, first + pageLines - 1); number++)
        isComplete = page?.[number - first] !== undefined;
      if (!isComplete) asked.push(index * pageLines);
      // Looked at just now, so it is kept for longest.
      else if (page) {
        this.pages.delete(index);
        this.pages.set(index, page);
      }
    }
    return asked;
  }

  get isWhole(): boolean {
    return this.count <= keptPages * pageLines && this.missing(1, this.count).length === 0;
  }

  /** All lines, of a log that is held as a whole. */
  lines(): RunLog[] {
    return Array.from({ length: this.count }, (_, index) => this.line(index + 1)).filter((log) => log !== undefined);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Another one after each change. */
  version = (): number => this.changes;
}
