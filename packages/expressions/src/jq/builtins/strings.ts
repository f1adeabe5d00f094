import { BigNumber, isNumber, isObject, negateBigNumber, toDouble, type Value } from '../../json.ts';
import { JsonTextError, parseJson } from '../../json-parse.ts';
import { splitString } from '../arithmetic.ts';
import { JqError } from '../errors.ts';
import { formatBy, jsonText, textOf } from '../formats.ts';
import type { Machine } from '../machine.ts';
import { getKey, indicesOf } from '../path.ts';
import { codePointLength, described, hasSurrogates, typeError, utf8Length } from '../values.ts';
import { type Builtins, ofInput, ofOne } from './define.ts';

function startsWith(input: Value, part: Value): boolean {
  if (typeof input === 'string' && typeof part === 'string') return input.startsWith(part);
  throw new JqError('startswith() requires string inputs', 'type');
}

function endsWith(input: Value, part: Value): boolean {
  if (typeof input === 'string' && typeof part === 'string') return input.endsWith(part);
  throw new JqError('endswith() requires string inputs', 'type');
}

function withoutPrefix(input: Value, prefix: Value): Value {
  return startsWith(input, prefix) ? (input as string).slice((prefix as string).length) : input;
}

function withoutSuffix(input: Value, suffix: Value): Value {
  const text = input as string;
  return endsWith(input, suffix) ? text.slice(0, text.length - (suffix as string).length) : input;
}

// Unicode's White_Space property, which is JavaScript's \s without the byte order mark and with NEL.
const LEADING = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const SPACE = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function trimStart(text: string): string {
  return text.replace(LEADING, '');
}

/** By hand: an unanchored `\s+$` is quadratic on long runs of spaces in the middle. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1] ?? '')) end--;
  return text.slice(0, end);
}

function trimmed(trim: (text: string) => string) {
  return ofInput((machine, input) => {
    if (typeof input !== 'string') throw new JqError('trim input must be a string', 'type');
    machine.step(input.length >> 4);
    return trim(input);
  });
}

function changeCase(pattern: RegExp, change: (text: string) => string) {
  return ofInput((machine, input) => {
    if (typeof input !== 'string') throw new JqError('explode input must be a string', 'type');
    machine.allocateString(input.length);
    return input.replace(pattern, change);
  });
}

function explode(machine: Machine, text: string): Value[] {
  machine.allocateArray(text.length);
  machine.step(text.length >> 3);
  const points: Value[] = [];
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    points.push(point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
  }
  return points;
}

function implode(machine: Machine, input: Value): string {
  if (!Array.isArray(input)) throw new JqError('implode input must be an array', 'type');
  machine.allocateString(2 * input.length);
  machine.step(input.length >> 3);
  let text = '';
  for (const item of input) {
    if (!isNumber(item) || Number.isNaN(toDouble(item))) {
      throw typeError(item, "can't be imploded, unicode codepoint needs to be numeric");
    }
    const point = Math.trunc(toDouble(item));
    const valid = point >= 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
    text += valid ? String.fromCodePoint(point) : '\ufffd';
  }
  return text;
}

/** Offsets, in code points, of every occurrence, overlapping ones included. */
function stringIndices(machine: Machine, text: string, part: string): Value[] {
  const found: Value[] = [];
  if (part === '') return found;
  const wide = hasSurrogates(text);
  let point = 0;
  let unit = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    // Overlapping candidates are compared again and again.
    machine.step(1 + (part.length >> 5));
    if (wide) point += codePointLength(text.slice(unit, at));
    else point = at;
    unit = at;
    found.push(point);
  }
  machine.step(text.length >> 4);
  machine.allocateArray(found.length);
  return found;
}

function indices(machine: Machine, input: Value, part: Value): Value {
  if (Array.isArray(input)) return indicesOf(machine, input, Array.isArray(part) ? part : [part]);
  if (typeof input === 'string' && typeof part === 'string') return stringIndices(machine, input, part);
  return getKey(machine, input, part);
}

/** null joins as nothing, numbers and booleans as their text; anything else cannot be added to a string. */
function join(machine: Machine, input: Value, separator: Value): Value {
  if (!Array.isArray(input)) {
    if (!isObject(input)) throw new JqError(`Cannot iterate over ${described(input)}`, 'iterate');
    return join(machine, Object.values(input), separator);
  }
  if (input.length === 0) return '';
  if (typeof separator !== 'string') {
    if (input.length === 1 || separator === null) return joinWithoutSeparator(machine, input, separator);
    throw new JqError(`${typeErrorText('', separator)} cannot be added`, 'type');
  }
  let text = '';
  for (const [at, item] of input.entries()) {
    if (at > 0) text += separator;
    if (typeof item === 'string') text += item;
    else if (isNumber(item) || typeof item === 'boolean') text += textOf(machine, item);
    else if (item !== null) throw new JqError(`${typeErrorText(text, item)} cannot be added`, 'type');
    machine.allocate(text.length > 0 ? 8 : 0);
  }
  machine.allocateString(text.length);
  return text;
}

function joinWithoutSeparator(machine: Machine, input: Value[], separator: Value): Value {
  if (separator !== null) {
    const only = input[0] ?? null;
    if (only === null || typeof only === 'string') return only ?? '';
    return isNumber(only) || typeof only === 'boolean' ? textOf(machine, only) : only;
  }
  return join(machine, input, '');
}

function typeErrorText(left: Value, right: Value): string {
  return `${described(left)} and ${described(right)}`;
}

function fromJson(machine: Machine, input: Value): Value {
  if (typeof input !== 'string') throw typeError(input, 'only strings can be parsed');
  machine.step(8 + (input.length >> 3));
  // What the text can unfold to: eight bytes per item at the least two characters each.
  machine.allocate(8 * input.length);
  machine.hasLiterals = true;
  try {
    return parseJson(input, () => machine.step(input.length));
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new JqError(`${error.message} (while parsing '${input}')`, 'json');
  }
}

export const STRINGS: Builtins = {
  'tostring/0': ofInput((machine, input) => textOf(machine, input)),
  'tojson/0': ofInput((machine, input) => jsonText(machine, input)),
  'fromjson/0': ofInput(fromJson),
  'toboolean/0': ofInput((_machine, input) => {
    if (typeof input === 'boolean') return input;
    if (input === 'true' || input === 'false') return input === 'true';
    throw typeError(input, 'cannot be parsed as a boolean');
  }),
  'format/1': ofOne(formatBy),
  'ascii/0': ofInput((machine, input) => implode(machine, [input])),
  'ascii_downcase/0': changeCase(/[A-Z]+/g, (text) => text.toLowerCase()),
  'ascii_upcase/0': changeCase(/[a-z]+/g, (text) => text.toUpperCase()),
  'explode/0': ofInput((machine, input) => {
    if (typeof input !== 'string') throw new JqError('explode input must be a string', 'type');
    return explode(machine, input);
  }),
  'implode/0': ofInput(implode),
  'startswith/1': ofOne((_machine, input, part) => startsWith(input, part)),
  'endswith/1': ofOne((_machine, input, part) => endsWith(input, part)),
  'ltrimstr/1': ofOne((_machine, input, part) => withoutPrefix(input, part)),
  'rtrimstr/1': ofOne((_machine, input, part) => withoutSuffix(input, part)),
  'trimstr/1': ofOne((_machine, input, part) => withoutSuffix(withoutPrefix(input, part), part)),
  'trim/0': trimmed((text) => trimEnd(trimStart(text))),
  'ltrim/0': trimmed(trimStart),
  'rtrim/0': trimmed(trimEnd),
  'split/1': ofOne((machine, input, separator) => {
    if (typeof input === 'string' && typeof separator === 'string') return splitString(machine, input, separator);
    throw new JqError('split input and separator must be strings', 'type');
  }),
  'join/1': ofOne(join),
  'indices/1': ofOne(indices),
  'index/1': ofOne((machine, input, part) => {
    const all = indices(machine, input, part);
    return Array.isArray(all) ? (all[0] ?? null) : getKey(machine, all, 0);
  }),
  'rindex/1': ofOne((machine, input, part) => {
    const all = indices(machine, input, part);
    return Array.isArray(all) ? (all[all.length - 1] ?? null) : getKey(machine, all, -1);
  }),
  'utf8bytelength/0': ofInput((machine, input) => {
    if (typeof input !== 'string') throw typeError(input, 'only strings have UTF-8 byte length');
    machine.step(input.length >> 4);
    return utf8Length(input);
  }),
  'length/0': ofInput((machine, input) => {
    if (typeof input === 'string') {
      machine.step(input.length >> 6);
      return codePointLength(input);
    }
    if (Array.isArray(input)) return input.length;
    if (input === null) return 0;
    if (typeof input === 'number') return Math.abs(input);
    if (isObject(input)) {
      const { length } = Object.keys(input);
      machine.step(length >> 4);
      return length;
    }
    if (isNumber(input)) return BigNumber.text(input).startsWith('-') ? negateBigNumber(input) : input;
    throw typeError(input, 'has no length');
  }),
};
