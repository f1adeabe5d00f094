import {
  BigNumber,
  compareBigNumbers,
  isNumber,
  isObject,
  negateBigNumber,
  readKey,
  toDouble,
  type Value,
  type ValueObject,
  writeKey,
} from '../json.ts';
import { stringify } from '../json-text.ts';
import { JqError } from './errors.ts';

/** Charged by everything whose cost grows with its data; throws BudgetExceeded. */
export interface Meter {
  step(count: number): void;
}

export type Kind = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

export function kindName(value: Value): Kind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    default:
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'array';
      return value instanceof BigNumber ? 'number' : 'object';
  }
}

/** Position of the value's type in jq's order: null < false < true < numbers < strings < arrays < objects. */
function rank(value: Value): number {
  switch (typeof value) {
    case 'string':
      return 4;
    case 'number':
      return 3;
    case 'boolean':
      return value ? 2 : 1;
    default:
      if (value === null) return 0;
      if (Array.isArray(value)) return 5;
      return value instanceof BigNumber ? 3 : 6;
  }
}

export function isTruthy(value: Value): boolean {
  return value !== null && value !== false;
}

/** jq's abbreviation of a value inside a message: at most `size - 1` bytes, the last three of them dots. */
export function truncated(text: string, size: number): string {
  const limit = size - 1;
  let bytes = 0;
  let keep = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes <= limit - 3) keep += char.length;
    if (bytes > limit) return `${text.slice(0, keep)}...`;
  }
  return text;
}

/** `type (value)` as jq's messages show it. */
export function described(value: Value, size = 15): string {
  return `${kindName(value)} (${truncated(abbreviated(value), size)})`;
}

/** Enough of the value's JSON text for a message, without writing out all of a large one. */
export function abbreviated(value: Value): string {
  if (typeof value === 'string' && value.length > 64) return stringify(`${value.slice(0, 64)}…`);
  if (typeof value !== 'object') return stringify(value);
  return stringify(sketch(value, { left: SKETCHED_VALUES }));
}

/** No message shows more than 200 characters, and every value takes two of them. */
const SKETCHED_VALUES = 100;

/** The first values of a document, as many as a message can show. */
function sketch(value: Value, room: { left: number }): Value {
  room.left--;
  if (Array.isArray(value)) {
    const items: Value[] = [];
    for (let at = 0; at < value.length && room.left > 0; at++) items.push(sketch(value[at] ?? null, room));
    return items;
  }
  if (!isObject(value)) return typeof value === 'string' ? value.slice(0, 256) : value;
  const object: ValueObject = {};
  for (const key in value) {
    if (room.left <= 0) break;
    writeKey(object, key.slice(0, 256), sketch(readKey(value, key) ?? null, room));
  }
  return object;
}

export function typeError(value: Value, message: string, code = 'type'): JqError {
  return new JqError(`${described(value)} ${message}`, code);
}

export function typeErrors(left: Value, right: Value, message: string): JqError {
  return new JqError(`${described(left)} and ${described(right)} ${message}`, 'type');
}

/** Order of strings by code point, which differs from JavaScript's for characters beyond U+FFFF. */
export function compareStrings(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a === b) continue;
    if (a >= 0xd800 && b >= 0xd800) {
      const surrogateA = a <= 0xdfff;
      const surrogateB = b <= 0xdfff;
      if (surrogateA !== surrogateB) return surrogateA ? 1 : -1;
    }
    return a < b ? -1 : 1;
  }
  return left.length < right.length ? -1 : 1;
}

function compareNumbers(left: number | BigNumber, right: number | BigNumber): number {
  if (left instanceof BigNumber && right instanceof BigNumber) return compareBigNumbers(left, right);
  const a = toDouble(left);
  const b = toDouble(right);
  // NaN is smaller than every number, itself included.
  if (Number.isNaN(a)) return -1;
  if (Number.isNaN(b)) return 1;
  return a < b ? -1 : a === b ? 0 : 1;
}

export function sortedKeys(object: ValueObject): string[] {
  return Object.keys(object).sort(compareStrings);
}

/** jq's total order. Depth: one stack frame per level; steps: one per compared pair of containers' items. */
export function compare(left: Value, right: Value, meter: Meter): number {
  if (left === right && typeof left === 'string') return 0;
  const a = rank(left);
  const b = rank(right);
  if (a !== b) return a < b ? -1 : 1;
  switch (a) {
    case 3:
      return compareNumbers(left as number, right as number);
    case 4:
      return compareStrings(left as string, right as string);
    case 5:
      return compareArrays(left as Value[], right as Value[], meter);
    case 6:
      return compareObjects(left as ValueObject, right as ValueObject, meter);
    default:
      return 0;
  }
}

function compareArrays(left: Value[], right: Value[], meter: Meter): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    meter.step(1);
    const order = compare(left[at] as Value, right[at] as Value, meter);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareObjects(left: ValueObject, right: ValueObject, meter: Meter): number {
  const keys = sortedKeys(left);
  const otherKeys = sortedKeys(right);
  meter.step(keys.length + otherKeys.length);
  const length = Math.min(keys.length, otherKeys.length);
  for (let at = 0; at < length; at++) {
    const order = compareStrings(keys[at] as string, otherKeys[at] as string);
    if (order !== 0) return order;
  }
  if (keys.length !== otherKeys.length) return keys.length - otherKeys.length;
  for (const key of keys) {
    const order = compare(left[key] ?? null, right[key] ?? null, meter);
    if (order !== 0) return order;
  }
  return 0;
}

/** Same value; unlike the order, NaN equals nothing. */
export function equals(left: Value, right: Value, meter: Meter): boolean {
  if (left === right) return typeof left !== 'object' || left === null || !containsNaN(left, meter);
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) {
    if (left instanceof BigNumber || right instanceof BigNumber) {
      return isNumber(left) && isNumber(right) && compareNumbers(left, right) === 0;
    }
    return false;
  }
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let at = 0; at < left.length; at++) {
      meter.step(1);
      if (!equals(left[at] as Value, right[at] as Value, meter)) return false;
    }
    return true;
  }
  if (left instanceof BigNumber || right instanceof BigNumber) {
    return isNumber(left) && isNumber(right) && compareNumbers(left, right) === 0;
  }
  if (Array.isArray(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) {
    meter.step(1);
    const other = readKey(right, key);
    if (other === undefined || !equals(left[key] as Value, other, meter)) return false;
  }
  return true;
}

/** A shared container is equal to itself unless a NaN hides in it; documents contain none, so only small ones are looked at. */
function containsNaN(value: Value, meter: Meter): boolean {
  if (typeof value === 'number') return Number.isNaN(value);
  if (typeof value !== 'object' || value === null || value instanceof BigNumber) return false;
  const items = Array.isArray(value) ? value : Object.values(value);
  meter.step(items.length);
  for (const item of items) if (containsNaN(item, meter)) return true;
  return false;
}

/** A number that a program did not compute with keeps its literal through a change of sign. */
export function negate(value: Value): Value {
  if (typeof value === 'number') return -value;
  if (value instanceof BigNumber) return negateBigNumber(value);
  throw typeError(value, 'cannot be negated');
}

/** Number of code points of a string. */
export function codePointLength(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      count--;
      at++;
    }
  }
  return count;
}

const SURROGATES = /[\ud800-\udbff]/;

/** The part of a string between two code point offsets. Cost: linear only for texts beyond U+FFFF. */
export function sliceCodePoints(text: string, from: number, to: number): string {
  if (!SURROGATES.test(text)) return text.slice(from, to);
  let unit = 0;
  let start = -1;
  for (let point = 0; unit < text.length; point++) {
    if (point === from) start = unit;
    if (point === to) return start < 0 ? '' : text.slice(start, unit);
    const high = (text.charCodeAt(unit) & 0xfc00) === 0xd800;
    unit += high && (text.charCodeAt(unit + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
  }
  return start < 0 ? '' : text.slice(start);
}

export function hasSurrogates(text: string): boolean {
  return SURROGATES.test(text);
}

/** UTF-8 length without building the bytes. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      at++;
    } else bytes += 3;
  }
  return bytes;
}
