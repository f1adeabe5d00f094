import { ExpressionError, positionOf } from './errors.ts';

/**
 * Tokens of a jq program. Strings are tokenised in place: `"a\(b)c"` becomes string-start, text `a`, interpolation
 * start, the tokens of `b`, interpolation end, text `c`, string-end; a stack of open brackets says which `)` ends an
 * interpolation. Positions always refer to the text as the user wrote it.
 */
export type TokenKind =
  | 'name' // identifiers and keywords, possibly with `module::` in front
  | 'field' // .name
  | 'variable' // $name
  | 'format' // @name
  | 'number'
  | 'op'
  | 'stringStart'
  | 'text'
  | 'interpolationStart'
  | 'interpolationEnd'
  | 'stringEnd'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The operator, the name without its sigil, the decoded text of a string part, or the literal of a number. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const NAME = /(?:[A-Za-z_][A-Za-z_0-9]*::)*[A-Za-z_][A-Za-z_0-9]*/y;
const FIELD = /\.[A-Za-z_][A-Za-z_0-9]*/y;
const VARIABLE = /\$(?:[A-Za-z_][A-Za-z_0-9]*::)*[A-Za-z_][A-Za-z_0-9]*/y;
const FORMAT = /@[A-Za-z0-9_]+/y;
const NUMBER = /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
/** In the order in which they are tried, with the length of the sigil that is not part of the text. */
const WORDS: readonly (readonly [TokenKind, RegExp, number])[] = [
  ['name', NAME, 0],
  ['field', FIELD, 1],
  ['number', NUMBER, 0],
  ['variable', VARIABLE, 1],
  ['format', FORMAT, 1],
];
const OPERATOR = /\?\/\/|\/\/=|!=|==|\/\/|\|=|\+=|-=|\*=|\/=|%=|<=|>=|\.\.|[.?=;,:|+\-*/%$<>()[\]{}]/y;
// A backslash keeps a comment going over the end of the line, unless it is itself escaped (jq 1.7.1).
const COMMENT = /#(?:\\(?:\\|\r?\n)|[^\n])*/y;

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

export interface LexerOptions {
  /** Also read `'…'` as a string, with the same escapes and interpolations as `"…"`. */
  singleQuotes?: boolean;
}

export function tokenize(source: string, options: LexerOptions = {}): Token[] {
  return new Lexer(source, options.singleQuotes === true).run();
}

class Lexer {
  readonly #source: string;
  readonly #singleQuotes: boolean;
  readonly #tokens: Token[] = [];
  /** Open brackets; `"` or `'` mark an interpolation inside a string with that delimiter. */
  readonly #open: string[] = [];
  #at = 0;

  constructor(source: string, singleQuotes: boolean) {
    this.#source = source;
    this.#singleQuotes = singleQuotes;
  }

  run(): Token[] {
    const source = this.#source;
    while (this.#at < source.length) this.#next();
    this.#push('end', '', source.length, source.length);
    return this.#tokens;
  }

  #push(kind: TokenKind, text: string, start: number, end: number): void {
    this.#tokens.push({ kind, text, start, end });
    this.#at = end;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0] ?? null;
  }

  #fail(code: string, message: string, start: number, end: number): never {
    throw new ExpressionError('syntax', code, message, positionOf(this.#source, { start, end }));
  }

  #next(): void {
    const start = this.#at;
    const char = this.#source[start] ?? '';
    if (char === ' ' || char === '\n' || char === '\t' || char === '\r') {
      this.#at++;
      return;
    }
    if (char === '#') {
      this.#at += this.#match(COMMENT)?.length ?? 1;
      return;
    }
    if (char === '"' || (char === "'" && this.#singleQuotes)) {
      this.#push('stringStart', char, start, start + 1);
      this.#string(char);
      return;
    }
    for (const [kind, pattern, sigil] of WORDS) {
      const text = this.#match(pattern);
      if (text === null) continue;
      this.#push(kind, text.slice(sigil), start, start + text.length);
      return;
    }
    const operator = this.#match(OPERATOR);
    if (operator === null) this.#unknown(char, start);
    this.#operator(operator, start);
  }

  #operator(operator: string, start: number): void {
    const end = start + operator.length;
    if (operator === '(' || operator === '[' || operator === '{') this.#open.push(operator);
    const opens = CLOSES[operator];
    if (opens !== undefined) {
      const top = this.#open.pop();
      if (operator === ')' && (top === '"' || top === "'")) {
        this.#push('interpolationEnd', ')', start, end);
        this.#string(top);
        return;
      }
      if (top !== opens) {
        const meant = top === undefined ? 'nothing is open here' : `'${top}' is still open`;
        this.#fail('unbalanced', `unexpected '${operator}': ${meant}`, start, end);
      }
    }
    this.#push('op', operator, start, end);
  }

  #unknown(char: string, start: number): never {
    const hint =
      char === "'"
        ? 'strings are written with double quotes: "…" instead of \'…\''
        : char === '&'
          ? 'jq writes `and`, not `&&`'
          : char === '!'
            ? 'jq writes `… | not`, not `!…`'
            : 'this character has no meaning here';
    this.#fail('unexpected-character', `unexpected '${char}': ${hint}`, start, start + 1);
  }

  /** Reads string parts up to the closing quote or the next interpolation. */
  #string(quote: string): void {
    const source = this.#source;
    let text = '';
    let start = this.#at;
    let at = start;
    const flush = (): void => {
      if (text !== '') this.#push('text', text, start, at);
      text = '';
    };
    for (;;) {
      const char = source[at];
      if (char === undefined) this.#fail('unbalanced', 'this string is never closed', start - 1, source.length);
      if (char === quote) {
        flush();
        this.#push('stringEnd', quote, at, at + 1);
        return;
      }
      if (char !== '\\') {
        text += char;
        at++;
        continue;
      }
      if (source[at + 1] === '(') {
        flush();
        this.#open.push(quote);
        this.#push('interpolationStart', '\\(', at, at + 2);
        return;
      }
      if (source[at + 1] === quote) {
        text += quote;
        at += 2;
        continue;
      }
      const [piece, length] = this.#escape(at);
      if (text === '') start = at;
      text += piece;
      at += length;
    }
  }

  #escape(at: number): [string, number] {
    const source = this.#source;
    const char = source[at + 1] ?? '';
    const simple = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[char];
    if (simple !== undefined) return [simple, 2];
    if (char !== 'u') {
      this.#fail('invalid-escape', `Invalid escape: '\\${char}' means nothing in a string`, at, at + 2);
    }
    const hex = source.slice(at + 2, at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) {
      this.#fail('invalid-escape', 'Invalid escape: \\u needs four hexadecimal digits', at, at + 2);
    }
    const unit = Number.parseInt(hex, 16);
    if (unit < 0xd800 || unit > 0xdfff) return [String.fromCharCode(unit), 6];
    const low = /^\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(source.slice(at + 6, at + 12))?.[1];
    if (unit > 0xdbff || low === undefined) {
      this.#fail('invalid-escape', 'Invalid escape: a surrogate needs its other half', at, at + 6);
    }
    return [String.fromCharCode(unit, Number.parseInt(low, 16)), 12];
  }
}
