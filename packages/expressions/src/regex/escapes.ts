import { RegexError } from './syntax.ts';

/** A reader over the code points of a pattern, shared by the parser of groups and the parser of brackets. */
export class Reader {
  readonly chars: readonly string[];
  at = 0;
  constructor(pattern: string) {
    this.chars = Array.from(pattern);
  }
  get done(): boolean {
    return this.at >= this.chars.length;
  }
  peek(offset = 0): string | undefined {
    return this.chars[this.at + offset];
  }
  next(): string {
    const char = this.chars[this.at];
    if (char === undefined) throw new RegexError('end pattern at escape');
    this.at++;
    return char;
  }
  eat(text: string): boolean {
    const wanted = Array.from(text);
    if (!wanted.every((char, index) => this.chars[this.at + index] === char)) return false;
    this.at += wanted.length;
    return true;
  }
  /** Reads digits of a base, at most `limit` of them; empty when there is none. */
  digits(base: 8 | 10 | 16, limit: number): string {
    const allowed = base === 8 ? /^[0-7]$/ : base === 10 ? /^[0-9]$/ : /^[0-9a-fA-F]$/;
    let text = '';
    while (text.length < limit) {
      const char = this.peek();
      if (char === undefined || !allowed.test(char)) break;
      text += char;
      this.at++;
    }
    return text;
  }
}

export const codeOf = (char: string): number => char.codePointAt(0) ?? 0;

const CONTROL: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, a: 7, e: 27 };

function bracedCode(reader: Reader, base: 8 | 16): number | undefined {
  const start = reader.at;
  reader.at++;
  const digits = reader.digits(base, base === 8 ? 11 : 8);
  if (digits === '' || !reader.eat('}')) {
    if (digits !== '') throw new RegexError('invalid code point value');
    reader.at = start;
    return undefined;
  }
  const code = Number.parseInt(digits, base);
  if (code > 0x10ffff) throw new RegexError('too big wide-char value');
  return code;
}

/** `\xC3\xA9` spells the bytes of one character, as Oniguruma reads a pattern as UTF-8. */
function fromBytes(reader: Reader, first: number): number {
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  if (length === 0) throw new RegexError('invalid code point value');
  let code = first & (0xff >> (length + 1));
  for (let index = 1; index < length; index++) {
    if (!reader.eat('\\x')) throw new RegexError('too short multibyte code string');
    const byte = Number.parseInt(reader.digits(16, 2) || '0', 16);
    if ((byte & 0xc0) !== 0x80) throw new RegexError('too short multibyte code string');
    code = (code << 6) | (byte & 0x3f);
  }
  return code;
}

/**
 * The code point an escape stands for, its backslash and `char` already read. A letter without a meaning is itself,
 * as in Oniguruma's Perl syntax, which jq uses: there is no `\h`, `\v` or `\u` in it.
 */
export function escapedCode(reader: Reader, char: string): number {
  const control = CONTROL[char];
  if (control !== undefined) return control;
  if (char === 'x' || char === 'o') {
    if (reader.peek() === '{') return bracedCode(reader, char === 'x' ? 16 : 8) ?? codeOf(char);
    if (char === 'o') return codeOf(char);
    const code = Number.parseInt(reader.digits(16, 2) || '0', 16);
    return code < 0x80 ? code : fromBytes(reader, code);
  }
  if (char === 'c') {
    if (reader.done) throw new RegexError('end pattern at control');
    const target = reader.next();
    return target === '?' ? 0x7f : codeOf(target) & 0x9f;
  }
  if (char >= '0' && char <= '7') {
    reader.at--;
    const code = Number.parseInt(reader.digits(8, char === '0' ? 3 : 3), 8);
    if (code > 0xff) throw new RegexError('too big number');
    return code;
  }
  return codeOf(char);
}
