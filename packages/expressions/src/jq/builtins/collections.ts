import { isNumber, isObject, readKey, toDouble, type Value, type ValueObject, writeKey } from '../../json.ts';
import { collect, iterate } from '../compile-term.ts';
import { JqError, type Span } from '../errors.ts';
import { type Filter, type Frame, many, NOTHING, type Signal, single } from '../filter.ts';
import type { Machine } from '../machine.ts';
import { hasKey } from '../path.ts';
import { compare, compareStrings, described, equals, kindName, sortedKeys, typeError, typeErrors } from '../values.ts';
import { type Builtins, ofFilters, ofInput, ofOne } from './define.ts';

/** `[.[] | f]`: the workhorse. With one output per item it runs without callbacks. */
function map(filter: Filter, span: Span, subject: Span | null): Filter {
  const { one, run } = filter;
  return single((frame, input) => {
    const { machine } = frame;
    if (one === null) {
      const outputs = many((inner, value, emit) =>
        iterate(inner.machine, value, (item) => run(inner, item, emit), span, subject),
      );
      return collect(frame, outputs, input);
    }
    const items: Value[] = [];
    if (Array.isArray(input)) {
      machine.step(input.length);
      const mark = machine.temp;
      let held = 16;
      machine.retained += 16;
      for (let at = 0; at < input.length; at++) {
        const value = one(frame, input[at] ?? null);
        if (value !== NOTHING) {
          items.push(value);
          const allocated = machine.temp - mark;
          const cost = allocated === 0 ? 8 : 8 + machine.cost(value, allocated);
          held += cost;
          machine.retained += cost;
          machine.temp = mark;
        }
      }
      machine.retained -= held;
      machine.temp = mark;
      machine.allocate(held);
      return items;
    }
    machine.allocate(16);
    const signal = iterate(
      machine,
      input,
      (item) => {
        const value = one(frame, item);
        if (value !== NOTHING) {
          machine.allocate(8);
          items.push(value);
        }
        return undefined;
      },
      span,
      subject,
    );
    if (signal !== undefined) throw signal;
    return items;
  });
}

// ---- order

interface Keyed {
  value: Value;
  key: Value;
}

/** The sort keys of an array's items; a filter with several outputs sorts by the first, then the second … */
function keyed(frame: Frame, filter: Filter, input: Value): Keyed[] {
  const items = requireItems(input);
  const { machine } = frame;
  machine.allocateArray(3 * items.length);
  machine.step(8);
  return items.map((value) => {
    machine.step(1);
    const one = filter.one?.(frame, value) ?? NOTHING;
    return { value, key: one !== NOTHING ? [one] : collect(frame, filter, value) };
  });
}

function requireItems(input: Value): Value[] {
  if (Array.isArray(input)) return input;
  if (isObject(input)) {
    const keys = Object.values(input).slice(0, 8);
    throw typeErrors(input, [keys], 'cannot be sorted, as they are not both arrays');
  }
  throw new JqError(`Cannot iterate over ${described(input)}`, 'iterate');
}

function sorted(machine: Machine, entries: Keyed[]): Keyed[] {
  machine.step(entries.length);
  return entries.sort((a, b) => {
    machine.step(1);
    return compare(a.key, b.key, machine);
  });
}

function sort(machine: Machine, input: Value): Value[] {
  if (!Array.isArray(input)) throw typeError(input, 'cannot be sorted, as it is not an array');
  machine.allocateArray(input.length);
  if (input.every((item) => typeof item === 'string')) {
    machine.step(4 * input.length);
    return input.slice().sort((a, b) => compareStrings(a as string, b as string));
  }
  return input.slice().sort((a, b) => {
    machine.step(1);
    return compare(a, b, machine);
  });
}

/** Neighbours with equal keys, in a sorted list. */
function groups(machine: Machine, entries: Keyed[]): Keyed[][] {
  const result: Keyed[][] = [];
  for (const entry of entries) {
    const open = result[result.length - 1];
    if (open !== undefined && equals((open[0] as Keyed).key, entry.key, machine)) open.push(entry);
    else result.push([entry]);
  }
  machine.allocateArray(entries.length + 4 * result.length);
  return result;
}

function bySorting(finish: (machine: Machine, entries: Keyed[]) => Value) {
  return ofFilters((filters, span) => {
    const filter = filters[0] as Filter;
    return single((frame, input) => {
      frame.machine.at = span;
      return finish(frame.machine, sorted(frame.machine, keyed(frame, filter, input)));
    });
  });
}

function unique(machine: Machine, entries: Keyed[]): Value[] {
  return groups(machine, entries).map((group) => (group[0] as Keyed).value);
}

/** jq keeps the last of equal maxima and the first of equal minima. */
function extreme(machine: Machine, entries: Keyed[], wantsMax: boolean): Value {
  let best: Keyed | null = null;
  for (const entry of entries) {
    machine.step(1);
    if (best === null || compare(entry.key, best.key, machine) < 0 !== wantsMax) best = entry;
  }
  return best === null ? null : best.value;
}

function extremeOf(wantsMax: boolean) {
  return ofInput((machine, input) => {
    if (!Array.isArray(input)) throw typeErrors(input, input, 'cannot be iterated over');
    return extreme(
      machine,
      input.map((value) => ({ value, key: value })),
      wantsMax,
    );
  });
}

function extremeBy(wantsMax: boolean) {
  return ofFilters((filters, span) => {
    const filter = filters[0] as Filter;
    return single((frame, input) => {
      frame.machine.at = span;
      return extreme(frame.machine, keyed(frame, filter, input), wantsMax);
    });
  });
}

function binarySearch(machine: Machine, input: Value, target: Value): Value {
  if (!Array.isArray(input)) throw typeError(input, 'cannot be searched from');
  let start = 0;
  let end = input.length;
  while (start < end) {
    machine.step(1);
    const middle = (start + end) >> 1;
    const order = compare(target, input[middle] as Value, machine);
    if (order === 0) return middle;
    if (order < 0) end = middle;
    else start = middle + 1;
  }
  return -1 - start;
}

// ---- membership

function contains(machine: Machine, whole: Value, part: Value): boolean {
  if (isObject(whole) && isObject(part)) {
    return Object.keys(part).every((key) => {
      machine.step(1);
      const item = readKey(whole, key);
      return item !== undefined && containsItem(machine, item, part[key] ?? null);
    });
  }
  if (Array.isArray(whole) && Array.isArray(part)) {
    return part.every((wanted) => whole.some((item) => containsItem(machine, item, wanted)));
  }
  if (typeof whole === 'string' && typeof part === 'string') {
    machine.step(whole.length >> 6);
    return whole.includes(part);
  }
  if (kindName(whole) === kindName(part) && typeof whole !== 'boolean') return equals(whole, part, machine);
  if (typeof whole === 'boolean' && whole === part) return true;
  throw typeErrors(whole, part, 'cannot have their containment checked');
}

function containsItem(machine: Machine, whole: Value, part: Value): boolean {
  machine.step(1);
  if (kindName(whole) !== kindName(part)) return false;
  return typeof whole === 'boolean' ? whole === part : contains(machine, whole, part);
}

// ---- shapes

function keys(machine: Machine, input: Value, inOrder: boolean): Value[] {
  if (Array.isArray(input)) {
    machine.allocateArray(input.length);
    return Array.from(input.keys());
  }
  if (!isObject(input)) throw typeError(input, 'has no keys');
  const names = inOrder ? sortedKeys(input) : Object.keys(input);
  machine.allocateArray(names.length);
  machine.step(inOrder ? 4 * names.length : names.length);
  machine.list(names.length);
  return names;
}

function toEntries(machine: Machine, input: Value): Value[] {
  if (Array.isArray(input)) {
    machine.allocate(input.length * 80);
    machine.step(input.length);
    return input.map((value, key) => ({ key, value }));
  }
  const names = keys(machine, input, false) as string[];
  machine.allocate(names.length * 80);
  machine.list(names.length);
  return names.map((key) => ({ key, value: (input as ValueObject)[key] ?? null }));
}

const KEY_NAMES = ['key', 'Key', 'name', 'Name'];

function fromEntries(machine: Machine, input: Value): ValueObject {
  const items = Array.isArray(input) ? input : isObject(input) ? Object.values(input) : null;
  if (items === null) throw new JqError(`Cannot iterate over ${described(input)}`, 'iterate');
  const object: ValueObject = {};
  machine.allocateObject(items.length);
  for (const item of items) {
    if (!isObject(item) && item !== null) {
      throw new JqError(`Cannot index ${kindName(item)} with string "key"`, 'index');
    }
    const key = item === null ? null : entryKey(item);
    if (typeof key !== 'string') throw new JqError(`Cannot use ${described(key)} as object key`, 'object-key');
    writeKey(object, key, item === null ? null : (readKey(item, 'value') ?? readKey(item, 'Value') ?? null));
    machine.step(1);
  }
  return object;
}

/** The first of the four names that has a value; with none, the last one looked at. */
function entryKey(item: ValueObject): Value {
  let key: Value = null;
  for (const name of KEY_NAMES) {
    key = readKey(item, name) ?? null;
    if (key !== null && key !== false) return key;
  }
  return key;
}

function flatten(machine: Machine, input: Value, depth: number): Value[] {
  const items = Array.isArray(input) ? input : isObject(input) ? Object.values(input) : null;
  if (items === null) throw new JqError(`Cannot iterate over ${described(input)}`, 'iterate');
  const flat: Value[] = [];
  const stack: { items: Value[]; at: number; depth: number }[] = [{ items, at: 0, depth }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1] as { items: Value[]; at: number; depth: number };
    if (top.at >= top.items.length) {
      stack.pop();
      continue;
    }
    const item = top.items[top.at++] as Value;
    machine.step(1);
    if (Array.isArray(item) && top.depth !== 0) stack.push({ items: item, at: 0, depth: top.depth - 1 });
    else {
      machine.allocate(8);
      flat.push(item);
    }
  }
  return flat;
}

/** As many rows as the longest row is long, padded with null. */
function transpose(machine: Machine, input: Value): Value[] {
  const rows = Array.isArray(input) ? input : isObject(input) ? Object.values(input) : null;
  if (rows === null) throw new JqError(`Cannot iterate over ${described(input)}`, 'iterate');
  machine.step(rows.length);
  let width = 0;
  for (const row of rows) width = Math.max(width, rowLength(row));
  width = Math.ceil(width);
  const bad = width === 0 ? undefined : rows.find((row) => row !== null && !Array.isArray(row));
  if (bad !== undefined) throw new JqError(`Cannot index ${kindName(bad)} with number`, 'index');
  machine.step(width * rows.length);
  machine.allocateArray(width * rows.length + width);
  return Array.from({ length: width }, (_, column) => rows.map((row) => (row as Value[] | null)?.[column] ?? null));
}

function rowLength(row: Value): number {
  if (row === null) return 0;
  if (typeof row === 'string' || Array.isArray(row)) return row.length;
  if (isNumber(row)) return Math.abs(toDouble(row)) || 0;
  if (isObject(row)) return Object.keys(row).length;
  throw typeError(row, 'has no length');
}

/** Every way to take one item from each array, the last varying fastest. */
const COMBINATIONS: Filter = many((frame, input, emit) => {
  const { machine } = frame;
  const chosen: Value[] = [];
  const sets = Array.isArray(input) ? input : input === null ? [] : isObject(input) ? Object.values(input) : null;
  if (sets === null) throw typeError(input, 'cannot be combined, as it is not an array');
  const next = (at: number): Signal => {
    const set = sets[at];
    if (set !== undefined) {
      return iterate(
        machine,
        set,
        (item) => {
          chosen[at] = item;
          return next(at + 1);
        },
        machine.at,
        null,
      );
    }
    machine.step(4 + sets.length);
    machine.allocateArray(sets.length);
    return emit(chosen.slice());
  };
  return next(0);
});

export const COLLECTIONS: Builtins = {
  'combinations/0': () => COMBINATIONS,
  'map/1': (compiler, args, span, context) =>
    map(compiler.inner(args[0] as never, context, null), span, context.subject),
  'sort/0': ofInput(sort),
  'sort_by/1': bySorting((machine, entries) => {
    machine.allocateArray(entries.length);
    return entries.map((entry) => entry.value);
  }),
  'group_by/1': bySorting((machine, entries) =>
    groups(machine, entries).map((group) => group.map((entry) => entry.value)),
  ),
  'unique/0': ofInput((machine, input) => {
    const items = sort(machine, input);
    return unique(
      machine,
      items.map((value) => ({ value, key: value })),
    );
  }),
  'unique_by/1': bySorting(unique),
  'min/0': extremeOf(false),
  'max/0': extremeOf(true),
  'min_by/1': extremeBy(false),
  'max_by/1': extremeBy(true),
  'bsearch/1': ofOne(binarySearch),
  'contains/1': ofOne(contains),
  'inside/1': ofOne((machine, input, whole) => contains(machine, whole, input)),
  'has/1': ofOne((_machine, input, key) => hasKey(input, key)),
  'in/1': ofOne((_machine, input, whole) => hasKey(whole, input)),
  'keys/0': ofInput((machine, input) => keys(machine, input, true)),
  'keys_unsorted/0': ofInput((machine, input) => keys(machine, input, false)),
  'reverse/0': ofInput((machine, input) => {
    if (Array.isArray(input)) {
      machine.allocateArray(input.length);
      return input.slice().reverse();
    }
    if (typeof input === 'boolean') throw typeError(input, 'has no length');
    // What has no length has nothing to reverse; what has one cannot be indexed with a number.
    const isEmpty =
      input === null || input === '' || input === 0 || (isObject(input) && Object.keys(input).length === 0);
    if (!isEmpty) throw new JqError(`Cannot index ${kindName(input)} with number`, 'index');
    return [];
  }),
  'to_entries/0': ofInput(toEntries),
  'from_entries/0': ofInput(fromEntries),
  'flatten/0': ofInput((machine, input) => flatten(machine, input, -1)),
  'flatten/1': ofOne((machine, input, depth) => {
    if (!isNumber(depth)) throw new JqError('flatten depth must not be negative', 'range');
    const levels = toDouble(depth);
    if (levels < 0) throw new JqError('flatten depth must not be negative', 'range');
    return flatten(machine, input, levels);
  }),
  'transpose/0': ofInput(transpose),
  'type/0': ofInput((_machine, input) => kindName(input)),
  'toarray/0': ofInput((machine, input) => {
    if (Array.isArray(input)) return input;
    machine.allocateArray(1);
    return [input];
  }),
};
