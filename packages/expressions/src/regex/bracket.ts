import { bracket, type CharSet, DIGIT, type Member, SPACE, WORD } from './charset.ts';
import { codeOf, escapedCode, type Reader } from './escapes.ts';
import { findPosix, findProperty } from './properties.ts';
import { RegexError } from './syntax.ts';

const CLASSES: Readonly<Record<string, Member>> = {
  d: { set: DIGIT, negated: false },
  D: { set: DIGIT, negated: true },
  s: { set: SPACE, negated: false },
  S: { set: SPACE, negated: true },
  w: { set: WORD, negated: false },
  W: { set: WORD, negated: true },
};

/** `\d`, `\S`, `\p{…}` … after the backslash and `char` have been read; undefined when it is none of them. */
export function readClassEscape(reader: Reader, char: string): Member | undefined {
  const simple = CLASSES[char];
  if (simple !== undefined) return simple;
  if ((char !== 'p' && char !== 'P') || reader.peek() !== '{') return undefined;
  reader.at++;
  const inverted = reader.eat('^');
  let name = '';
  while (!reader.done && reader.peek() !== '}') name += reader.next();
  if (!reader.eat('}')) throw new RegexError(`invalid character property name {${name}}`);
  const set = findProperty(name);
  if (set === undefined) throw new RegexError(`invalid character property name {${name}}`);
  return { set, negated: (char === 'P') !== inverted };
}

function readPosix(reader: Reader): Member | undefined {
  const start = reader.at;
  reader.at += 2;
  const negated = reader.eat('^');
  let name = '';
  while (!reader.done && /^[a-z]$/i.test(reader.peek() ?? '') && name.length < 20) name += reader.next();
  if (!reader.eat(':]')) {
    reader.at = start;
    return undefined;
  }
  const set = findPosix(name);
  if (set === undefined) throw new RegexError('invalid POSIX bracket type');
  return { set, negated };
}

/** One item: a class, or a code point that may open or close a range. */
function readItem(reader: Reader): Member | number {
  const char = reader.next();
  if (char === '[' && reader.peek() === ':') {
    reader.at--;
    const posix = readPosix(reader);
    if (posix !== undefined) return posix;
    reader.at++;
    return codeOf('[');
  }
  if (char !== '\\') return codeOf(char);
  const escaped = reader.next();
  const member = readClassEscape(reader, escaped);
  if (member !== undefined) return member;
  return escaped === 'b' ? 8 : escapedCode(reader, escaped);
}

/**
 * A bracket expression, its `[` already read. In jq's syntax brackets do not nest and `&&` is two ampersands; only
 * `[:name:]` is special inside.
 */
export function readBracket(reader: Reader, fold: boolean): CharSet {
  const negated = reader.eat('^');
  const members: Member[] = [];
  let first = true;
  for (;;) {
    if (reader.done) throw new RegexError('premature end of char-class');
    if (reader.peek() === ']' && !first) {
      reader.at++;
      return bracket(members, negated, fold);
    }
    if (first && reader.peek() === ']' && reader.chars.indexOf(']', reader.at + 1) < 0) {
      throw new RegexError('empty char-class');
    }
    first = false;
    const item = readItem(reader);
    if (typeof item !== 'number') {
      members.push(item);
      continue;
    }
    const opensRange = reader.peek() === '-' && reader.peek(1) !== ']' && reader.peek(1) !== undefined;
    if (!opensRange) {
      members.push({ from: item, to: item });
      continue;
    }
    reader.at++;
    const end = readItem(reader);
    if (typeof end !== 'number') throw new RegexError('char-class value at end of range');
    if (end < item) throw new RegexError('empty range in char class');
    members.push({ from: item, to: end });
  }
}
