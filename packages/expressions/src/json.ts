/**
 * JSON values as the engine sees them, and number literals that a double would change.
 *
 * Invariant: values are immutable. The evaluator shares structure between inputs, intermediate values and outputs, so
 * whoever hands a document in or takes a result out must not change it in place.
 */

/** A JSON document made of plain JavaScript values. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What the evaluator computes with: JSON, plus literals kept as they were written. */
export type Value = null | boolean | number | string | BigNumber | Value[] | ValueObject;
export interface ValueObject {
  [key: string]: Value;
}

/**
 * A number literal whose text says more than a double can hold (`9007199254740993`, `1E+1000`). It stays as written as
 * long as nothing is computed with it; arithmetic uses `toDouble`. The fields are private so that `.text` on a document
 * can never reach them.
 */
export class BigNumber {
  #text: string;
  #double: number;

  constructor(text: string, double: number) {
    this.#text = text;
    this.#double = double;
  }

  static text(number: BigNumber): string {
    return number.#text;
  }

  static double(number: BigNumber): number {
    return number.#double;
  }
}

export function isObject(value: Value): value is ValueObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof BigNumber);
}

export function isNumber(value: Value): value is number | BigNumber {
  return typeof value === 'number' || value instanceof BigNumber;
}

export function toDouble(value: number | BigNumber): number {
  return typeof value === 'number' ? value : BigNumber.double(value);
}

const LITERAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/**
 * The value of a decimal literal, or null when the text is not one. Accepts what jq's decimal parser accepts: a sign,
 * digits on either side of the point, an exponent, `nan`, `infinity`.
 */
export function numberFromLiteral(text: string): number | BigNumber | null {
  const match = LITERAL.exec(text);
  if (match === null || (match[2] === '' && (match[3] ?? '') === '')) {
    const word = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
    if (word === null) return null;
    if (word[2]?.toLowerCase() === 'nan') return Number.NaN;
    return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const double = Number(text);
  // Fifteen significant digits and a moderate exponent survive the way to a double and back.
  if (text.length <= 15 && match[4] === undefined) return double;
  const decimal = decimalOf(match);
  if (decimal.digits === '0') return double;
  const large = Math.abs(double) > Number.MAX_SAFE_INTEGER;
  if (Number.isFinite(double) && double !== 0) {
    // A literal such as 1.5e300 is what its double prints as. Long integers are kept even when a double holds them
    // exactly: compared with another long literal, they count as what they say.
    const back = parseDecimal(String(double));
    const same = back !== null && back.digits === decimal.digits && back.exponent === decimal.exponent;
    if (same && !(large && match[4] === undefined)) return double;
  }
  return new BigNumber(decimalText(match), double);
}

/** The sign, significant digits (no zeros at either end) and power of ten of the last digit. */
interface Decimal {
  negative: boolean;
  digits: string;
  exponent: number;
}

function decimalOf(match: RegExpExecArray): Decimal {
  const fraction = match[3] ?? '';
  const all = `${match[2]}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  const exponent = Number(match[4] ?? 0) - fraction.length + (all.length - digits.length);
  return digits === ''
    ? { negative: false, digits: '0', exponent: 0 }
    : { negative: match[1] === '-', digits, exponent };
}

function parseDecimal(text: string): Decimal | null {
  const match = LITERAL.exec(text);
  return match === null ? null : decimalOf(match);
}

/** The literal in the notation decimal arithmetic prints: plain where the exponent allows it, `1E+1000` elsewhere. */
function decimalText(match: RegExpExecArray): string {
  const sign = match[1] === '-' ? '-' : '';
  const fraction = match[3] ?? '';
  const digits = `${match[2]}${fraction}`.replace(/^0+(?=.)/, '');
  const exponent = Number(match[4] ?? 0) - fraction.length;
  const adjusted = exponent + digits.length - 1;
  if (exponent <= 0 && adjusted >= -6) {
    if (exponent === 0) return sign + digits;
    const padded = digits.padStart(1 - exponent, '0');
    return `${sign}${padded.slice(0, padded.length + exponent)}.${padded.slice(padded.length + exponent)}`;
  }
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
  return `${sign}${mantissa}E${adjusted < 0 ? '-' : '+'}${Math.abs(adjusted)}`;
}

/** Order of two kept literals by their exact value. */
export function compareBigNumbers(left: BigNumber, right: BigNumber): number {
  const a = parseDecimal(BigNumber.text(left));
  const b = parseDecimal(BigNumber.text(right));
  if (a === null || b === null) return Math.sign(BigNumber.double(left) - BigNumber.double(right));
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const sign = a.negative ? -1 : 1;
  const byMagnitude = a.exponent + a.digits.length - (b.exponent + b.digits.length);
  if (byMagnitude !== 0) return sign * Math.sign(byMagnitude);
  if (a.digits === b.digits) return 0;
  const width = Math.max(a.digits.length, b.digits.length);
  return a.digits.padEnd(width, '0') < b.digits.padEnd(width, '0') ? -sign : sign;
}

export function negateBigNumber(number: BigNumber): BigNumber {
  const text = BigNumber.text(number);
  return new BigNumber(text.startsWith('-') ? text.slice(1) : `-${text}`, -BigNumber.double(number));
}

const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Whether a plain read of this key could reach Object.prototype instead of the document. */
export function isInheritedKey(key: string): boolean {
  return PROTOTYPE_KEYS.has(key);
}

/** Reads a key of a document; a key it does not have, or one JavaScript would inherit, is absent. */
export function readKey(object: ValueObject, key: string): Value | undefined {
  const value = object[key];
  if (value === undefined) return undefined;
  if (PROTOTYPE_KEYS.has(key) && !Object.hasOwn(object, key)) return undefined;
  return value;
}

/** Writes a key of an object under construction; `__proto__` becomes data instead of a prototype. */
export function writeKey(object: ValueObject, key: string, value: Value): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

/** Replaces kept literals by their doubles, copying only what contains one. Depth: one stack frame per level. */
export function toPlainJson(value: Value): Json {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof BigNumber) return finite(BigNumber.double(value));
  if (Array.isArray(value)) return value.map(toPlainJson);
  const plain: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined) writeKey(plain as ValueObject, key, toPlainJson(item));
  }
  return plain;
}

function finite(double: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, double));
}
