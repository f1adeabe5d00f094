import type { RunLog } from '@quayside/contracts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character
const escapes = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** Colours and cursor moves of terminals are left out: the words stay. */
export function plainText(message: string): string {
  return message.includes('\u001b') ? message.replace(escapes, '') : message;
}

/** How far back a server or proxy may repeat itself. */
const repeatedLines = 1_000;

/** The same array when there is nothing new, so that nothing is drawn again. */
export function withNewLines(lines: readonly RunLog[], added: readonly RunLog[]): readonly RunLog[] {
  const known = new Set(lines.slice(-added.length - repeatedLines).map((line) => line.id));
  const fresh = added.filter((line) => !known.has(line.id));
  return fresh.length === 0 ? lines : [...lines, ...fresh];
}

export function findMatches(lines: readonly RunLog[], needle: string): number[] {
  const wanted = needle.toLowerCase();
  if (!wanted) return [];
  const found: number[] = [];
  for (const [index, line] of lines.entries())
    if (plainText(line.message).toLowerCase().includes(wanted)) found.push(index);
  return found;
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
