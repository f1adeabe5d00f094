import { numberFromLiteral, type Value, type ValueObject, writeKey } from './json.ts';

/** jq refuses documents nested deeper than this. */
const MAX_DEPTH = 10_000;

/** Sixteen digits in a row (a point may interrupt them) or an exponent: literals a double may change. */
const NEEDS_LITERALS = /\d[\d.]{15}|\d[eE]/;

export class JsonTextError extends Error {}

/**
 * Reads one JSON document and keeps number literals that a double would change. Like jq it also takes `nan`, leading
 * zeros and a byte order mark. `onSlow` is called before a text that the host's parser cannot read is read character by
 * character, thirty times slower. Throws JsonTextError with jq's wording, without the "(while parsing …)" part.
 */
export function parseJson(text: string, onSlow?: () => void): Value {
  if (!NEEDS_LITERALS.test(text)) {
    try {
      const value = JSON.parse(text) as Value;
      if (!/[[{]{2}|\[[^\]]*\[/.test(text) || depthOf(value) <= MAX_DEPTH) return value;
    } catch {
      // Read again below: it may be lenient JSON, and if not, jq's message says where it went wrong.
    }
  }
  onSlow?.();
  return new Reader(text).document();
}

function depthOf(value: Value): number {
  let level: Value[] = [value];
  let depth = 0;
  while (level.length > 0) {
    const next: Value[] = [];
    for (const item of level) {
      if (item === null || typeof item !== 'object') continue;
      for (const child of Array.isArray(item) ? item : Object.values(item as ValueObject)) next.push(child);
    }
    if (level.every((item) => item === null || typeof item !== 'object')) return depth;
    depth++;
    level = next;
    if (depth > MAX_DEPTH) return depth;
  }
  return depth;
}

interface Open {
  array: Value[] | null;
  object: ValueObject | null;
  key: string | null;
}

/**
 * A token machine like jq's own: literals are collected until a structural character ends them, which is what makes
 * the columns in the messages come out the same.
 */
class Reader {
  readonly #text: string;
  #line = 1;
  #column = 0;
  #token = '';
  #next: Value | undefined;
  #done: Value | undefined;
  readonly #stack: Open[] = [];

  constructor(text: string) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  document(): Value {
    const text = this.#text;
    let at = 0;
    while (at < text.length) {
      const char = text[at] ?? '';
      this.#column += char < '\x80' ? 1 : new TextEncoder().encode(char).length;
      if (char === '\n') {
        this.#line++;
        this.#column = 0;
      }
      if (char === '"') {
        this.#literal();
        this.#finish();
        at = this.#string(at + 1);
        continue;
      }
      if (char === ' ' || char === '\t' || char === '\r' || char === '\n') {
        this.#literal();
        this.#finish();
      } else if ('[{:,]}'.includes(char)) {
        this.#literal();
        this.#finish();
        this.#structure(char);
        this.#finish();
      } else {
        this.#token += char;
      }
      at++;
    }
    if (this.#stack.length > 0) {
      this.#literal(' at EOF');
      throw this.#error('Unfinished JSON term', ' at EOF');
    }
    this.#literal(' at EOF');
    this.#finish();
    if (this.#done === undefined) throw new JsonTextError('Expected JSON value');
    return this.#done;
  }

  #error(message: string, where = ''): JsonTextError {
    return new JsonTextError(`${message}${where} at line ${this.#line}, column ${this.#column}`);
  }

  #finish(): void {
    if (this.#stack.length > 0 || this.#next === undefined) return;
    if (this.#done !== undefined) throw new JsonTextError('Unexpected extra JSON values');
    this.#done = this.#next;
    this.#next = undefined;
  }

  #value(value: Value): void {
    if (this.#next !== undefined) throw this.#error('Expected separator between values');
    this.#next = value;
  }

  #literal(where = ''): void {
    const token = this.#token;
    if (token === '') return;
    this.#token = '';
    const word = { t: 'true', f: 'false', n: 'null' }[token[0] ?? ''];
    if (token[0] === "'") throw this.#error('Invalid string literal; expected ", but got \'', where);
    if (word !== undefined && !(token[0] === 'n' && token[1] !== 'u')) {
      if (token !== word) throw this.#error('Invalid literal', where);
      this.#value(word === 'null' ? null : word === 'true');
      return;
    }
    const number = numberFromLiteral(token);
    if (number === null) throw this.#error('Invalid numeric literal', where);
    this.#value(number);
  }

  #string(start: number): number {
    const text = this.#text;
    let out = '';
    let at = start;
    for (;;) {
      if (at >= text.length) throw this.#error('Unfinished string', ' at EOF');
      const char = text[at] ?? '';
      this.#column++;
      if (char === '"') break;
      if (char === '\\') {
        const [piece, length] = this.#escape(at + 1);
        out += piece;
        at += length + 1;
        this.#column += length;
        continue;
      }
      if (char < ' ')
        throw this.#error('Invalid string: control characters from U+0000 through U+001F must be escaped');
      out += char;
      at++;
    }
    this.#value(out);
    this.#finish();
    return at + 1;
  }

  /** The text of an escape and how many characters follow the backslash. */
  #escape(at: number): [string, number] {
    const text = this.#text;
    const char = text[at] ?? '';
    const simple = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[char];
    if (simple !== undefined) return [simple, 1];
    if (char !== 'u') throw this.#error('Invalid escape');
    const hex = text.slice(at + 1, at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#error('Invalid characters in \\uXXXX escape');
    const unit = Number.parseInt(hex, 16);
    if (unit < 0xd800 || unit > 0xdbff) return [unit >= 0xdc00 && unit <= 0xdfff ? '�' : String.fromCharCode(unit), 5];
    const low = /^\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(text.slice(at + 5, at + 11))?.[1];
    if (low === undefined) throw this.#error('Invalid \\uXXXX\\uXXXX surrogate pair escape');
    return [String.fromCharCode(unit, Number.parseInt(low, 16)), 11];
  }

  #structure(char: string): void {
    const top = this.#stack[this.#stack.length - 1];
    const next = this.#next;
    switch (char) {
      case '[':
      case '{':
        if (this.#stack.length >= MAX_DEPTH) throw this.#error('Exceeds depth limit for parsing');
        if (next !== undefined) throw this.#error('Expected separator between values');
        this.#stack.push(
          char === '[' ? { array: [], object: null, key: null } : { array: null, object: {}, key: null },
        );
        return;
      case ':':
        if (next === undefined) throw this.#error("Expected string key before ':'");
        if (top === undefined || top.object === null || top.key !== null)
          throw this.#error("':' not as part of an object");
        if (typeof next !== 'string') throw this.#error('Object keys must be strings');
        top.key = next;
        this.#next = undefined;
        return;
      case ',':
        if (next === undefined) throw this.#error("Expected value before ','");
        if (top === undefined) throw this.#error("',' not as part of an object or array");
        this.#store(top, next);
        return;
      default:
        this.#close(char, top, next);
    }
  }

  #store(top: Open, next: Value): void {
    if (top.array !== null) top.array.push(next);
    else if (top.object !== null && top.key !== null) {
      writeKey(top.object, top.key, next);
      top.key = null;
    } else throw this.#error('Objects must consist of key:value pairs');
    this.#next = undefined;
  }

  #close(char: string, top: Open | undefined, next: Value | undefined): void {
    const closes = char === ']' ? top?.array : top?.object;
    if (top === undefined || closes === null || closes === undefined) throw this.#error(`Unmatched '${char}'`);
    if (next !== undefined) this.#store(top, next);
    else if (char === ']' && top.array !== null && top.array.length > 0)
      throw this.#error('Expected another array element');
    else if (char === '}' && top.key !== null) throw this.#error("Unmatched '}'");
    else if (char === '}' && Object.keys(closes).length > 0) throw this.#error('Expected another key-value pair');
    this.#stack.pop();
    this.#next = closes;
  }
}
