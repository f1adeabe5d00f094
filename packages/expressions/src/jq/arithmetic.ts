import { isNumber, isObject, readKey, toDouble, type Value, type ValueObject, writeKey } from '../json.ts';
import type { BinaryOperator } from './ast.ts';
import { JqError } from './errors.ts';
import type { Machine } from './machine.ts';
import { compare, equals, typeErrors } from './values.ts';

/** jq's operators on values. Sizes of strings and arrays are announced to the machine before they are built. */
export type Operation = (machine: Machine, left: Value, right: Value) => Value;

/** Longest string `"x" * n` may make: jq's own limit. */
const MAX_REPEAT = 2_147_483_647;

export function add(machine: Machine, left: Value, right: Value): Value {
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (typeof left === 'string' && typeof right === 'string') {
    machine.allocateString(left.length + right.length);
    return left + right;
  }
  if (left === null) return right;
  if (right === null) return left;
  if (isNumber(left) && isNumber(right)) return toDouble(left) + toDouble(right);
  if (Array.isArray(left) && Array.isArray(right)) {
    machine.allocateArray(left.length + right.length);
    return left.concat(right);
  }
  if (isObject(left) && isObject(right)) {
    machine.allocateObject(Object.keys(left).length + Object.keys(right).length);
    return { ...left, ...right };
  }
  throw typeErrors(left, right, 'cannot be added');
}

function subtract(machine: Machine, left: Value, right: Value): Value {
  if (isNumber(left) && isNumber(right)) return toDouble(left) - toDouble(right);
  if (Array.isArray(left) && Array.isArray(right)) {
    machine.allocateArray(left.length);
    if (right.every((item) => typeof item === 'string')) {
      const gone = new Set<Value>(right);
      machine.step(left.length + right.length);
      return left.filter((item) => !gone.has(item));
    }
    return left.filter((item) => {
      machine.step(right.length);
      return !right.some((other) => equals(item, other, machine));
    });
  }
  throw typeErrors(left, right, 'cannot be subtracted');
}

function multiply(machine: Machine, left: Value, right: Value): Value {
  if (isNumber(left)) {
    if (isNumber(right)) return toDouble(left) * toDouble(right);
    if (typeof right === 'string') return repeat(machine, right, toDouble(left));
  } else if (typeof left === 'string' && isNumber(right)) return repeat(machine, left, toDouble(right));
  if (isObject(left) && isObject(right)) return merge(machine, left, right);
  throw typeErrors(left, right, 'cannot be multiplied');
}

function repeat(machine: Machine, text: string, times: number): Value {
  if (!(times >= 0)) return null;
  const count = Math.trunc(Math.min(times, MAX_REPEAT));
  if (text.length * count >= MAX_REPEAT) throw new JqError('Repeat string result too long', 'repeat');
  machine.allocateString(text.length * count);
  return text.repeat(count);
}

function merge(machine: Machine, left: ValueObject, right: ValueObject): ValueObject {
  machine.allocateObject(Object.keys(left).length + Object.keys(right).length);
  const result = { ...left };
  for (const key of Object.keys(right)) {
    const old = readKey(result, key);
    const item = right[key] ?? null;
    writeKey(result, key, old !== undefined && isObject(old) && isObject(item) ? merge(machine, old, item) : item);
  }
  return result;
}

function divide(machine: Machine, left: Value, right: Value): Value {
  if (isNumber(left) && isNumber(right)) {
    const divisor = toDouble(right);
    if (divisor === 0) throw typeErrors(left, right, 'cannot be divided because the divisor is zero');
    return toDouble(left) / divisor;
  }
  if (typeof left === 'string' && typeof right === 'string') return splitString(machine, left, right);
  throw typeErrors(left, right, 'cannot be divided');
}

export function splitString(machine: Machine, text: string, separator: string): Value[] {
  if (text === '') return [];
  machine.step(text.length >> 4);
  const parts: Value[] = separator === '' ? [...text] : text.split(separator);
  machine.allocateArray(parts.length);
  machine.allocate(text.length + 24 * parts.length);
  return parts;
}

const INT64_LIMIT = 2 ** 63;

/** Truncates to a 64-bit integer, saturating as C code with range checks does. */
function toInt64(double: number): bigint {
  if (double >= INT64_LIMIT) return 9223372036854775807n;
  if (double <= -INT64_LIMIT) return -9223372036854775808n;
  return BigInt(Math.trunc(double));
}

function modulo(_machine: Machine, left: Value, right: Value): Value {
  if (!isNumber(left) || !isNumber(right)) throw typeErrors(left, right, 'cannot be divided (remainder)');
  const a = toDouble(left);
  const b = toDouble(right);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  const divisor = Math.trunc(b);
  if (divisor === 0) throw typeErrors(left, right, 'cannot be divided (remainder) because the divisor is zero');
  if (Math.abs(a) <= Number.MAX_SAFE_INTEGER && Math.abs(b) <= Number.MAX_SAFE_INTEGER) {
    // + 0: the remainder of integers has no negative zero.
    return (Math.trunc(a) % divisor) + 0;
  }
  return Number(toInt64(a) % toInt64(b));
}

export const OPERATIONS: Readonly<Record<BinaryOperator, Operation>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': modulo,
  '==': (machine, left, right) => equals(left, right, machine),
  '!=': (machine, left, right) => !equals(left, right, machine),
  '<': (machine, left, right) => ordered(machine, left, right) < 0,
  '<=': (machine, left, right) => ordered(machine, left, right) <= 0,
  '>': (machine, left, right) => ordered(machine, left, right) > 0,
  '>=': (machine, left, right) => ordered(machine, left, right) >= 0,
};

function ordered(machine: Machine, left: Value, right: Value): number {
  if (typeof left === 'number' && typeof right === 'number' && !Number.isNaN(left) && !Number.isNaN(right))
    return left - right || 0;
  return compare(left, right, machine);
}
