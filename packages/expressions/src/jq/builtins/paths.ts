import type { Value } from '../../json.ts';
import { firstOf, modify } from '../compile-assign.ts';
import { collectPaths } from '../compile-binding.ts';
import { JqError } from '../errors.ts';
import { type Filter, type Frame, many, type Signal, single } from '../filter.ts';
import {
  deletePaths,
  getKey,
  getPath,
  iteratePath,
  LostPath,
  type Path,
  PathStep,
  pathToArray,
  requirePath,
  setPath,
  stepInto,
} from '../path.ts';
import { described } from '../values.ts';
import { ITEMS } from './control.ts';
import { type Builtins, ofFilters, ofOne, ofValues } from './define.ts';

/** `getpath(p)` reaches what it returns, so it can stand on the left of an assignment; what is missing is null. */
function getpath(paths: Filter): Filter {
  const get = (frame: Frame, input: Value, path: Value): Value => {
    const keys = requirePath(path);
    frame.machine.step(keys.length);
    return getPath(frame.machine, input, keys);
  };
  const { one, run } = paths;
  const asPath =
    () =>
    (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      run(frame, value, (wanted) => {
        const item = get(frame, value, wanted);
        if (path instanceof LostPath) return emit(path, item);
        let at: PathStep | null = path;
        for (const key of requirePath(wanted)) at = new PathStep(at, key);
        return emit(at, item);
      });
  if (one !== null) {
    return single((frame, input) => {
      const path = one(frame, input);
      return typeof path === 'symbol' ? path : get(frame, input, path);
    }, asPath);
  }
  return many((frame, input, emit) => run(frame, input, (path) => emit(get(frame, input, path))), asPath);
}

function pathsOf(filter: Filter): Filter {
  return many((frame, input, emit) =>
    collectPaths(frame, filter, input, (path) => {
      const keys = pathToArray(path as PathStep | null);
      frame.machine.allocateArray(keys.length);
      frame.machine.step(keys.length);
      return emit(keys);
    }),
  );
}

function del(filter: Filter): Filter {
  return single((frame, input) => {
    const { machine } = frame;
    const found: Value[] = [];
    const signal = collectPaths(frame, filter, input, (path) => {
      const keys = pathToArray(path as PathStep | null);
      machine.allocateArray(keys.length + 1);
      found.push(keys);
      return undefined;
    });
    if (signal !== undefined) throw signal;
    return deletePaths(machine, input, found);
  });
}

function pick(filter: Filter): Filter {
  return single((frame, input) => {
    const { machine } = frame;
    let result: Value = null;
    const signal = collectPaths(frame, filter, input, (path) => {
      const keys = pathToArray(path as PathStep | null);
      result = setPath(machine, result, keys, getPath(machine, input, keys));
      return undefined;
    });
    if (signal !== undefined) throw signal;
    return result;
  });
}

/** `[path, leaf]` events, and `[path]` after the last item of each container. */
function toStream(): Filter {
  return many((frame, input, emit) => {
    const { machine } = frame;
    const go = (value: Value, path: Value[], isLast: boolean): Signal => {
      machine.step(1);
      machine.allocateArray(path.length + 2);
      const isContainer = typeof value === 'object' && value !== null;
      const keys: Value[] = !isContainer ? [] : Array.isArray(value) ? [...value.keys()] : Object.keys(value);
      if (keys.length === 0) {
        const signal = emit([path, value]);
        if (signal !== undefined) return signal;
      }
      machine.enter();
      for (const [at, key] of keys.entries()) {
        const signal = go(getKey(machine, value, key), [...path, key], at === keys.length - 1);
        if (signal !== undefined) return signal;
      }
      machine.depth--;
      return isLast && path.length > 0 ? emit([path]) : undefined;
    };
    return go(input, [], false);
  });
}

const FIRST_ITEM = indexed(0);
const LAST_ITEM = indexed(-1);

function indexed(index: number): Filter {
  return single(
    (frame, input) => getKey(frame.machine, input, index),
    () => (frame, path, value, emit) => emit(stepInto(path, index, value), getKey(frame.machine, value, index)),
  );
}

export const PATHS: Builtins = {
  'path/1': ofFilters((filters) => pathsOf(filters[0] as Filter)),
  'getpath/1': ofFilters((filters) => getpath(filters[0] as Filter)),
  'setpath/2': ofValues((machine, input, values) =>
    setPath(machine, input, requirePath(values[0] as Value), values[1] as Value),
  ),
  'delpaths/1': ofOne((machine, input, paths) => deletePaths(machine, input, paths)),
  'del/1': ofFilters((filters) => del(filters[0] as Filter)),
  'pick/1': ofFilters((filters) => pick(filters[0] as Filter)),
  'map_values/1': ofFilters((filters) => {
    const change = firstOf(filters[0] as Filter);
    const items: Filter = many(
      (frame, input, emit) => ITEMS.run(frame, input, emit),
      () => (frame, path, value, emit) => {
        if (typeof value !== 'object' || value === null) {
          throw new JqError(`Cannot iterate over ${described(value)}`, 'iterate');
        }
        iteratePath(path, value);
        return ITEMS.paths(frame, path, value, emit);
      },
    );
    return single((frame, input) => modify(frame, items, input, change));
  }),
  'first/0': () => FIRST_ITEM,
  'last/0': () => LAST_ITEM,
  'nth/1': ofOne((machine, input, index) => getKey(machine, input, index)),
  'tostream/0': () => toStream(),
};
