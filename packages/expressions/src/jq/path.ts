import { isNumber, isObject, readKey, toDouble, type Value, type ValueObject, writeKey } from '../json.ts';
import { JqError } from './errors.ts';
import type { Machine } from './machine.ts';
import { abbreviated, compare, equals, hasSurrogates, kindName, sliceCodePoints, truncated } from './values.ts';

/**
 * Where a value lies in the document that `path(…)`, an assignment or `del` started from. Grows at the leaf, so all
 * paths below a node share its steps. A LostPath belongs to a value that was computed rather than reached.
 */
export class PathStep {
  readonly parent: PathStep | null;
  readonly key: Value;

  constructor(parent: PathStep | null, key: Value) {
    this.parent = parent;
    this.key = key;
  }
}

export class LostPath {
  readonly path: PathStep | null;
  /** The value at `path`: meeting it again makes the path good again. */
  readonly value: Value;

  constructor(path: PathStep | null, value: Value) {
    this.path = path;
    this.value = value;
  }
}

/** null is the root. */
export type Path = PathStep | LostPath | null;

/** The path of an output that was computed from the value at `path`: still there only if it is that very value. */
export function stay(path: Path, value: Value, output: Value): Path {
  if (path instanceof LostPath) return Object.is(path.value, output) ? path.path : path;
  return Object.is(value, output) ? path : new LostPath(path, value);
}

export function pathToArray(path: PathStep | null, prefix = 0): Value[] {
  const keys: Value[] = [];
  for (let step = path; step !== null; step = step.parent) keys.push(step.key);
  keys.reverse();
  return prefix === 0 ? keys : keys.slice(prefix);
}

/** The path, if it still is one; otherwise jq's error for ending a path expression on a computed value. */
export function checkedPath(path: Path, value: Value): PathStep | null {
  if (!(path instanceof LostPath)) return path;
  throw new JqError(`Invalid path expression with result ${truncated(abbreviated(value), 30)}`, 'path');
}

export function stepInto(path: Path, key: Value, value: Value): PathStep {
  if (!(path instanceof LostPath)) return new PathStep(path, key);
  const element = truncated(abbreviated(key), 15);
  throw new JqError(
    `Invalid path expression near attempt to access element ${element} of ${truncated(abbreviated(value), 30)}`,
    'path',
  );
}

export function iteratePath(path: Path, value: Value): PathStep | null {
  if (!(path instanceof LostPath)) return path;
  throw new JqError(
    `Invalid path expression near attempt to iterate through ${truncated(abbreviated(value), 30)}`,
    'path',
  );
}

// ---- slices

export interface Range {
  from: number;
  to: number;
}

/** Resolves slice bounds against a length: negative counts from the end, fractions widen the slice. */
function sliceRange(length: number, from: Value, to: Value): Range {
  if ((from !== null && !isNumber(from)) || (to !== null && !isNumber(to))) {
    throw new JqError('Array/string slice indices must be integers', 'index');
  }
  let start = from === null ? 0 : toDouble(from);
  let end = to === null ? length : toDouble(to);
  if (Number.isNaN(start)) start = 0;
  if (start < 0) start += length;
  start = Math.floor(Math.min(Math.max(start, 0), length));
  if (Number.isNaN(end)) end = length;
  if (end < 0) end += length;
  if (end < 0) end = start;
  end = Math.min(Math.ceil(end), length);
  return { from: start, to: Math.max(start, end) };
}

function sliceBounds(key: ValueObject): { from: Value; to: Value } {
  const from = readKey(key, 'start');
  const to = readKey(key, 'end');
  if (from === undefined || to === undefined) {
    throw new JqError('Array/string slice indices must be integers', 'index');
  }
  return { from, to };
}

export function slice(machine: Machine, value: Value, from: Value, to: Value): Value {
  if (value === null) return null;
  if (Array.isArray(value)) {
    const range = sliceRange(value.length, from, to);
    machine.allocateArray(range.to - range.from);
    return value.slice(range.from, range.to);
  }
  if (typeof value === 'string') {
    machine.step(value.length >> 8);
    if (!hasSurrogates(value)) {
      const range = sliceRange(value.length, from, to);
      return value.slice(range.from, range.to);
    }
    machine.step(value.length >> 4);
    const range = sliceRange([...value].length, from, to);
    return sliceCodePoints(value, range.from, range.to);
  }
  throw new JqError(`Cannot index ${kindName(value)} with object`, 'index');
}

// ---- single steps

function indexError(value: Value, key: Value): JqError {
  const shown = typeof key === 'string' && key.length < 30 ? `string "${key}"` : kindName(key);
  return new JqError(`Cannot index ${kindName(value)} with ${shown}`, 'index');
}

/** `value[key]`: absent is null. */
export function getKey(machine: Machine, value: Value, key: Value): Value {
  if (typeof key === 'string') {
    if (isObject(value)) return readKey(value, key) ?? null;
    if (value === null) return null;
  } else if (isNumber(key)) {
    if (Array.isArray(value)) {
      const index = Math.trunc(toDouble(key));
      return value[index < 0 ? index + value.length : index] ?? null;
    }
    if (value === null) return null;
  } else if (isObject(key)) {
    if (value === null) return null;
    if (Array.isArray(value) || typeof value === 'string') {
      const { from, to } = sliceBounds(key);
      return slice(machine, value, from, to);
    }
  } else if (Array.isArray(key) && Array.isArray(value)) return indicesOf(machine, value, key);
  throw indexError(value, key);
}

/** Where a sub-array starts in an array. */
export function indicesOf(machine: Machine, array: Value[], part: Value[]): Value[] {
  const found: Value[] = [];
  if (part.length === 0) return found;
  for (let at = 0; at + part.length <= array.length; at++) {
    machine.step(1);
    if (part.every((item, offset) => equals(array[at + offset] as Value, item, machine))) found.push(at);
  }
  return found;
}

/** The largest index that may be set: jq's own limit, far beyond what the memory budget allows. */
const MAX_INDEX = 536_870_911;

/** A copy of `value` with `key` set; the original stays as it is. */
function setKey(machine: Machine, value: Value, key: Value, item: Value): Value {
  if (typeof key === 'string' && (value === null || isObject(value))) {
    const keys = value === null ? 0 : Object.keys(value).length;
    machine.allocateObject(keys + 1);
    const copy: ValueObject = value === null ? {} : { ...value };
    writeKey(copy, key, item);
    return copy;
  }
  if (isNumber(key) && (value === null || Array.isArray(value))) {
    return setIndex(machine, value ?? [], toDouble(key), item);
  }
  if (isObject(key) && (value === null || Array.isArray(value))) {
    const array = value ?? [];
    const bounds = sliceBounds(key);
    const range = sliceRange(array.length, bounds.from, bounds.to);
    if (!Array.isArray(item)) throw new JqError('A slice of an array can only be assigned another array', 'index');
    machine.allocateArray(array.length - (range.to - range.from) + item.length);
    return [...array.slice(0, range.from), ...item, ...array.slice(range.to)];
  }
  if (isObject(key) && typeof value === 'string') throw new JqError('Cannot update string slices', 'index');
  throw new JqError(`Cannot update field at ${kindName(key)} index of ${kindName(value)}`, 'index');
}

function setIndex(machine: Machine, array: Value[], key: number, item: Value): Value {
  if (Number.isNaN(key)) throw new JqError('Cannot set array element at NaN index', 'index');
  let index = Math.trunc(key);
  if (index < 0) index += array.length;
  if (index < 0) throw new JqError('Out of bounds negative array index', 'index');
  if (index > MAX_INDEX) throw new JqError('Array index too large', 'index');
  machine.allocateArray(Math.max(array.length, index + 1));
  const copy = array.slice();
  while (copy.length < index) copy.push(null);
  copy[index] = item;
  return copy;
}

export function hasKey(value: Value, key: Value): boolean {
  if (value === null) return false;
  if (typeof key === 'string' && isObject(value)) return readKey(value, key) !== undefined;
  if (isNumber(key) && Array.isArray(value)) {
    const index = Math.trunc(toDouble(key));
    return index >= 0 && index < value.length;
  }
  throw new JqError(`Cannot check whether ${kindName(value)} has a ${kindName(key)} key`, 'index');
}

// ---- whole paths

export function requirePath(path: Value): Value[] {
  if (Array.isArray(path)) return path;
  throw new JqError('Path must be specified as an array', 'path');
}

export function getPath(machine: Machine, value: Value, path: Value[]): Value {
  let current = value;
  for (const key of path) current = getKey(machine, current, key);
  return current;
}

/** A copy of `value` with the value at `path` replaced by `change` of it. Copies one node per step of the path. */
export function updatePath(
  machine: Machine,
  value: Value,
  path: Value[],
  change: (old: Value) => Value,
  from = 0,
): Value {
  if (from === path.length) return change(value);
  const key = path[from] as Value;
  const old = getKey(machine, value, key);
  if (!isObject(key)) probeKey(value, key);
  return setKey(machine, value, key, updatePath(machine, old, path, change, from + 1));
}

/** Raises what setting that key would raise, before the value to set is computed: jq's order of errors. */
function probeKey(value: Value, key: Value): void {
  if (isNumber(key) && (value === null || Array.isArray(value))) {
    const index = toDouble(key);
    if (Number.isNaN(index)) throw new JqError('Cannot set array element at NaN index', 'index');
    if (Math.trunc(index) + (value?.length ?? 0) < 0) throw new JqError('Out of bounds negative array index', 'index');
    if (index > MAX_INDEX) throw new JqError('Array index too large', 'index');
    return;
  }
  if (typeof key === 'string') return;
  throw new JqError(`Cannot update field at ${kindName(key)} index of ${kindName(value)}`, 'index');
}

export function setPath(machine: Machine, value: Value, path: Value[], item: Value): Value {
  return updatePath(machine, value, path, () => item);
}

/** Deletes all paths at once, so that indices refer to the original arrays. */
export function deletePaths(machine: Machine, value: Value, paths: Value): Value {
  if (!Array.isArray(paths)) throw new JqError('Paths must be specified as an array', 'path');
  const sorted = paths.slice().sort((a, b) => {
    machine.step(1);
    return compare(a, b, machine);
  });
  for (const path of sorted) {
    if (!Array.isArray(path)) throw new JqError(`Path must be specified as array, not ${kindName(path)}`, 'path');
  }
  const first = sorted[0] as Value[] | undefined;
  if (first === undefined) return value;
  if (first.length === 0) return null;
  return deleteSorted(machine, value, sorted as Value[][], 0);
}

function deleteSorted(machine: Machine, value: Value, paths: Value[][], from: number): Value {
  let result = value;
  const whole: Value[] = [];
  for (let at = 0; at < paths.length; ) {
    const path = paths[at] as Value[];
    const key = path[from] as Value;
    let end = at;
    while (end < paths.length && equals((paths[end] as Value[])[from] as Value, key, machine)) {
      machine.step(1);
      end++;
    }
    end = Math.max(end, at + 1);
    if (path.length === from + 1) whole.push(key);
    else {
      const child = getKey(machine, result, key);
      if (child !== null) {
        result = setKey(machine, result, key, deleteSorted(machine, child, paths.slice(at, end), from + 1));
      }
    }
    at = end;
  }
  return deleteKeys(machine, result, whole);
}

function deleteKeys(machine: Machine, value: Value, keys: Value[]): Value {
  if (value === null || keys.length === 0) return value;
  if (Array.isArray(value)) return deleteItems(machine, value, keys);
  if (!isObject(value)) throw new JqError(`Cannot delete fields from ${kindName(value)}`, 'path');
  machine.allocateObject(Object.keys(value).length);
  const copy = { ...value };
  for (const key of keys) {
    if (typeof key !== 'string') throw new JqError(`Cannot delete ${kindName(key)} field of object`, 'path');
    delete copy[key];
  }
  return copy;
}

function deleteItems(machine: Machine, array: Value[], keys: Value[]): Value {
  const gone = new Set<number>();
  for (const key of keys) {
    if (isNumber(key)) {
      const index = Math.trunc(toDouble(key));
      gone.add(index < 0 ? index + array.length : index);
    } else if (isObject(key)) {
      const bounds = sliceBounds(key);
      const range = sliceRange(array.length, bounds.from, bounds.to);
      machine.step(range.to - range.from);
      for (let at = range.from; at < range.to; at++) gone.add(at);
    } else throw new JqError(`Cannot delete ${kindName(key)} element of array`, 'path');
  }
  machine.allocateArray(array.length);
  machine.step(array.length);
  return array.filter((_, index) => !gone.has(index));
}
