import { BigNumber, type Value, type ValueObject } from './json.ts';

/** jq prints no deeper than this; what lies below is named instead. */
const MAX_PRINT_DEPTH = 10_000;

/** Called with the length and the number of values written so far, every few thousand characters; throws to stop. */
export type OnLength = (length: number, values: number) => void;

/**
 * A double as jq prints it: shortest digits that read back the same, exponents below 1e-5 and from 1e17 on (`1e-05`,
 * `1e+17`), infinities as the largest double, NaN as null.
 */
function numberText(double: number): string {
  if (Number.isInteger(double) && Math.abs(double) < 1e16) return Object.is(double, -0) ? '-0' : String(double);
  if (Number.isNaN(double)) return 'null';
  if (double === Number.POSITIVE_INFINITY) return '1.7976931348623157e+308';
  if (double === Number.NEGATIVE_INFINITY) return '-1.7976931348623157e+308';
  const [mantissa = '', power = '0'] = Math.abs(double).toExponential().split('e');
  const sign = double < 0 ? '-' : '';
  const digits = mantissa.replace('.', '');
  const point = Number(power) + 1;
  if (point <= -4 || point > digits.length + 15) {
    const exponent = point - 1;
    const tail = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${tail}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function stringText(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.includes('\x7f') ? quoted.replaceAll('\x7f', '\\u007f') : quoted;
}

function scalarText(value: Value): string | null {
  switch (typeof value) {
    case 'string':
      return stringText(value);
    case 'number':
      return numberText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null || value === undefined) return 'null';
      return value instanceof BigNumber ? BigNumber.text(value) : null;
  }
}

/** Levels written by recursion, which is several times faster than the explicit stack used below them. */
const RECURSION_LEVELS = 400;

/**
 * Compact JSON text of a value. Deep values cost no JavaScript stack; shared parts are written once per reference,
 * which is why callers with hostile values pass `onLength`.
 */
export function stringify(value: Value, onLength?: OnLength): string {
  return scalarText(value) ?? new Writer(onLength).written(value);
}

interface Open {
  array: Value[] | null;
  object: ValueObject | null;
  keys: string[];
  next: number;
}

class Writer {
  #text = '';
  #reported = 0;
  #values = 0;
  readonly #onLength: OnLength | undefined;

  constructor(onLength: OnLength | undefined) {
    this.#onLength = onLength;
  }

  written(value: Value): string {
    this.#write(value, 0);
    return this.#text;
  }

  #report(): void {
    if (this.#onLength === undefined || this.#text.length - this.#reported < 4096) return;
    this.#reported = this.#text.length;
    this.#onLength(this.#reported, this.#values);
  }

  #write(value: Value, level: number): void {
    this.#values++;
    const scalar = scalarText(value);
    if (scalar !== null) {
      this.#text += scalar;
    } else if (level >= RECURSION_LEVELS) {
      this.#writeDeep(value, level);
    } else if (Array.isArray(value)) {
      this.#text += '[';
      for (let at = 0; at < value.length; at++) {
        if (at > 0) this.#text += ',';
        this.#write(value[at] ?? null, level + 1);
      }
      this.#text += ']';
    } else {
      const object = value as ValueObject;
      let separator = '{';
      for (const key of Object.keys(object)) {
        this.#text += `${separator}${stringText(key)}:`;
        separator = ',';
        this.#write(object[key] ?? null, level + 1);
      }
      this.#text += separator === '{' ? '{}' : '}';
    }
    this.#report();
  }

  #writeDeep(value: Value, level: number): void {
    const stack: Open[] = [];
    let pending: Value | undefined = value;
    for (;;) {
      if (pending !== undefined) {
        this.#values++;
        const scalar = scalarText(pending);
        if (scalar !== null) this.#text += scalar;
        else if (level + stack.length > MAX_PRINT_DEPTH) this.#text += '<skipped: too deep>';
        else if (Array.isArray(pending)) {
          stack.push({ array: pending, object: null, keys: [], next: 0 });
          this.#text += '[';
        } else {
          const object = pending as ValueObject;
          stack.push({ array: null, object, keys: Object.keys(object), next: 0 });
          this.#text += '{';
        }
        this.#report();
      }
      const top = stack[stack.length - 1];
      if (top === undefined) return;
      const index = top.next++;
      if (top.array !== null) {
        if (index < top.array.length) {
          if (index > 0) this.#text += ',';
          pending = top.array[index] ?? null;
          continue;
        }
        this.#text += ']';
      } else {
        const key = top.keys[index];
        if (key !== undefined) {
          this.#text += `${index > 0 ? ',' : ''}${stringText(key)}:`;
          pending = top.object?.[key] ?? null;
          continue;
        }
        this.#text += '}';
      }
      stack.pop();
      pending = undefined;
    }
  }
}
