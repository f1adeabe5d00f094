/** What an editor underlines. Offsets are UTF-16 units in the text that was linted; line and column count from 1. */
export interface Diagnostic {
  /** `error`: it cannot work. `warning`: it works and is probably not what was meant. */
  severity: 'error' | 'warning';
  code: string;
  message: string;
  start: number;
  end: number;
  line: number;
  column: number;
}

export interface Finding {
  severity: 'error' | 'warning';
  code: string;
  message: string;
  start: number;
  end: number;
}

export function locate(text: string, finding: Finding): Diagnostic {
  const start = Math.min(Math.max(finding.start, 0), text.length);
  const end = Math.min(Math.max(finding.end, start), text.length);
  const before = text.slice(0, start);
  return { ...finding, start, end, line: before.split('\n').length, column: start - before.lastIndexOf('\n') };
}
