/**
 * Finds the `{{ … }}` blocks of a string, exactly as spec/actions.md §1.12.1 says.
 *
 * States: outside; inside a block; inside a block and inside `'…'` or `"…"`. Inside a block a backslash skips the next
 * character. A block ends at the first `}}` outside quotes, so `{{ {a:{b:1}} }}` ends too early and is an error, and a
 * third `{` or `}` in a row belongs to the block (opening) or to the text (closing).
 */
export interface Block {
  /** The program between the braces. */
  source: string;
  /** UTF-16 offsets of `source` in the whole string. */
  start: number;
  end: number;
}

export interface Scan {
  blocks: Block[];
  /** Why the string is not a template; the blocks before the mistake are kept for editors. */
  mistake: { code: MistakeCode; message: string; start: number; end: number } | undefined;
}

type MistakeCode = 'nested-braces' | 'unopened-braces' | 'unclosed-braces';

export function scanTemplate(text: string): Scan {
  const blocks: Block[] = [];
  const fail = (code: MistakeCode, message: string, at: number): Scan => ({
    blocks,
    mistake: { code, message, start: at, end: at + 2 },
  });
  let start = -1;
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    const inside = start >= 0;
    if (inside && char === '\\') {
      index++;
    } else if (inside && (char === '"' || char === "'")) {
      if (quote === '') quote = char;
      else if (quote === char) quote = '';
    } else if (quote !== '') {
      // Braces inside quotes are text.
    } else if (char === '{' && text[index - 1] === '{') {
      if (inside) {
        const where = `Found "{{" at offset ${index - 1} inside the block opened at offset ${start - 2}`;
        return fail('nested-braces', where, index - 1);
      }
      start = index + 1;
      // The third of three opening braces begins an object inside the block.
      if (text[index + 1] === '{') index++;
    } else if (char === '}' && text[index - 1] === '}') {
      if (!inside)
        return fail('unopened-braces', `Found "}}" at offset ${index - 1} without an opening "{{"`, index - 1);
      blocks.push({ source: text.slice(start, index - 1), start, end: index - 1 });
      start = -1;
      // The third of three closing braces is text.
      if (text[index + 1] === '}') index++;
    }
  }
  if (start >= 0) {
    const opened = start - 2;
    return fail('unclosed-braces', `Found "{{" at offset ${opened} without a closing "}}"`, opened);
  }
  return { blocks, mistake: undefined };
}

/** Whether the string is one block and blanks around it, so that its result keeps its JSON type. */
export function isSingleBlock(text: string, blocks: readonly Block[]): boolean {
  const trimmed = text.trim();
  return blocks.length === 1 && trimmed.startsWith('{{') && trimmed.endsWith('}}');
}
