import type { RunLog } from '@quayside/contracts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character
const escapes = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** Colours and cursor moves of terminals are left out: the words stay. */
export function plainText(message: string): string {
  return message.includes('\u001b') ? message.replace(escapes, '') : message;
}

/** The text in pieces, every second of which matches. */
export function splitByMatch(text: string, needle: string): string[] {
  const wanted = needle.toLowerCase();
  if (!wanted) return [text];
  const lower = text.toLowerCase();
  // Some letters change their length in lower case (İ); positions would then be off, so such lines stay unmarked.
  if (lower.length !== text.length) return [text];
  const parts: string[] = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  parts.push(text.slice(from));
  return parts;
}

export function asText(lines: readonly RunLog[]): string {
  return lines.map((line) => `${line.createdAt} ${plainText(line.message)}\n`).join('');
}

/** `#L12` in an address names a line. */
export function lineOfHash(hash: string): number | undefined {
  const number = Number(/^#L([1-9]\d{0,8})$/.exec(hash)?.[1]);
  return Number.isNaN(number) ? undefined : number;
}

/** Rows that a browser can scroll over in one piece; a longer log is shown in parts of this many lines. */
export const shownLines = 100_000;

/** How many lines come before the part of the log that has this line well inside. */
export function partAround(line: number, total: number): number {
  const half = shownLines / 2;
  return Math.max(0, Math.min(line - half, total - shownLines));
}
