import { BigNumber, type Value, type ValueObject } from './json.ts';

/** jq prints no deeper than this; what lies below is named instead. */
const MAX_PRINT_DEPTH = 10_000;

/** Called with the length written so far, at least every few thousand characters; throws to stop the writing. */
export type OnLength = (length: number) => void;

/**
 * A double as jq prints it: shortest digits that read back the same, exponents below 1e-5 and from 1e17 on (`1e-05`,
 * `1e+17`), infinities as the largest double, NaN as null.
 */
export function numberText(double: number): string {
  if (Number.isInteger(double) && Math.abs(double) < 1e16) return Object.is(double, -0) ? '-0' : String(double);
  if (double !== double) return 'null';
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

/** A kept literal prints as written, unless no double is near it in size; then as the nearest double. */
export function bigNumberText(number: BigNumber): string {
  return BigNumber.text(number);
}

export function stringText(text: string): string {
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
      return value instanceof BigNumber ? bigNumberText(value) : null;
  }
}

interface Open {
  array: Value[] | null;
  object: ValueObject | null;
  keys: string[];
  next: number;
}

/**
 * Compact JSON text of a value. Uses its own stack, so depth costs no JavaScript stack frames; shared parts are
 * written once per reference, which is why callers with hostile values pass `onLength`.
 */
export function stringify(value: Value, onLength?: OnLength): string {
  const single = scalarText(value);
  if (single !== null) return single;
  let text = '';
  let reported = 0;
  const stack: Open[] = [];
  let pending: Value | undefined = value;
  for (;;) {
    if (pending !== undefined) {
      const scalar = scalarText(pending);
      if (scalar !== null) text += scalar;
      else if (stack.length > MAX_PRINT_DEPTH) text += '<skipped: too deep>';
      else if (Array.isArray(pending)) {
        stack.push({ array: pending, object: null, keys: [], next: 0 });
        text += '[';
      } else {
        const object = pending as ValueObject;
        stack.push({ array: null, object, keys: Object.keys(object), next: 0 });
        text += '{';
      }
      if (onLength !== undefined && text.length - reported > 4096) {
        reported = text.length;
        onLength(reported);
      }
    }
    const top = stack[stack.length - 1];
    if (top === undefined) return text;
    const index = top.next++;
    if (top.array !== null) {
      if (index < top.array.length) {
        if (index > 0) text += ',';
        pending = top.array[index] ?? null;
        continue;
      }
      text += ']';
    } else {
      const key = top.keys[index];
      if (key !== undefined) {
        text += `${index > 0 ? ',' : ''}${stringText(key)}:`;
        pending = top.object?.[key] ?? null;
        continue;
      }
      text += '}';
    }
    stack.pop();
    pending = undefined;
  }
}
