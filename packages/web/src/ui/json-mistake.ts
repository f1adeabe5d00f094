/** Something about a text, at its place. */
export interface TextMark {
  severity: 'error' | 'warning';
  message: string;
  start: number;
  end: number;
  line: number;
  column: number;
}

/** Where JSON stops being JSON. Browsers say it in words of their own; both ways of giving a position are read. */
export function jsonMistake(text: string): TextMark | undefined {
  if (text.trim() === '') return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = (error as Error).message;
    const start = Math.min(positionIn(message, text), Math.max(text.length - 1, 0));
    const words = message.replace(/^JSON\.parse: /, '').replace(/ (?:in JSON )?at (?:position|line) .*$/, '');
    return markAt(text, { severity: 'error', message: `This is not valid JSON: ${words}` }, start, start + 1);
  }
}

export function markAt(
  text: string,
  { severity, message }: Pick<TextMark, 'severity' | 'message'>,
  start: number,
  end: number,
): TextMark {
  const before = text.slice(0, start);
  return { severity, message, start, end, line: before.split('\n').length, column: start - before.lastIndexOf('\n') };
}

function positionIn(message: string, text: string): number {
  const offset = /at position (\d+)/.exec(message)?.[1];
  if (offset !== undefined) return Number(offset);
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  if (line === undefined || column === undefined) return text.length;
  const before = text.split('\n').slice(0, Number(line) - 1);
  return before.reduce((sum, each) => sum + each.length + 1, 0) + Number(column) - 1;
}
