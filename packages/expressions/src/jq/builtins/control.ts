import { isNumber, toDouble, type Value, type ValueObject, writeKey } from '../../json.ts';
import { add } from '../arithmetic.ts';
import { firstOf } from '../compile-assign.ts';
import { attempt, conditional } from '../compile-control.ts';
import { pipe } from '../compile-operator.ts';
import { iterate } from '../compile-term.ts';
import { JqError, type Span } from '../errors.ts';
import { type Emit, type Filter, type Frame, many, NOTHING, type Signal, STOP, single } from '../filter.ts';
import { Gauge } from '../machine.ts';
import { iteratePath, type Path, stepInto } from '../path.ts';
import { isTruthy } from '../values.ts';
import { type Builtins, ofClosures, ofFilters, ofInput, ofOne } from './define.ts';

const EMPTY = single(
  () => NOTHING,
  () => () => undefined,
);

const IDENTITY = single(
  (_frame, input) => input,
  () => (_frame, path, value, emit) => emit(path, value),
);

/** `first(f)`: stops `f` at its first output. */
function first(filter: Filter): Filter {
  if (filter.one !== null) return filter;
  return single(firstOf(filter), () => (frame, path, value, emit) => {
    let found: { path: Path; value: Value } | null = null;
    const signal = filter.paths(frame, path, value, (at, inner) => {
      found = { path: at, value: inner };
      return STOP;
    });
    if (signal !== undefined && signal !== STOP) return signal;
    const result = found as { path: Path; value: Value } | null;
    return result === null ? undefined : emit(result.path, result.value);
  });
}

/** Not a path, as in jq: `last(.[]) |= 1` is an error. */
function last(filter: Filter): Filter {
  const { run } = filter;
  return single((frame, input) => {
    let latest: Value | typeof NOTHING = NOTHING;
    const signal = run(frame, input, (value) => {
      latest = value;
      return undefined;
    });
    if (signal !== undefined) throw signal;
    return latest;
  });
}

function count(value: Value, name: string): number {
  if (!isNumber(value)) throw new JqError(`${name}'s count must be a number`, 'type');
  return toDouble(value);
}

/** `limit(n; f)`: the last wanted output leaves after `f` has been stopped, so nothing of it is evaluated in vain. */
function limit(counts: Filter, filter: Filter): Filter {
  return many(
    (frame, input, emit) =>
      counts.run(frame, input, (value) => {
        let left = count(value, 'limit');
        if (left < 0) throw new JqError("limit doesn't support negative count", 'range');
        if (left === 0) return undefined;
        let final: Value | typeof NOTHING = NOTHING;
        const signal = filter.run(frame, input, (item) => {
          left--;
          if (left > 0) return emit(item);
          final = item;
          return STOP;
        });
        return final === NOTHING ? signal : emit(final);
      }),
    () => (frame, path, input, emit) =>
      counts.run(frame, input, (value) => {
        let left = count(value, 'limit');
        if (left < 0) throw new JqError("limit doesn't support negative count", 'range');
        if (left === 0) return undefined;
        let final: { path: Path; value: Value } | null = null;
        const signal = filter.paths(frame, path, input, (at, item) => {
          left--;
          if (left > 0) return emit(at, item);
          final = { path: at, value: item };
          return STOP;
        });
        const end = final as { path: Path; value: Value } | null;
        return end === null ? signal : emit(end.path, end.value);
      }),
  );
}

function skip(counts: Filter, filter: Filter): Filter {
  return many(
    (frame, input, emit) =>
      counts.run(frame, input, (value) => {
        let left = count(value, 'skip');
        if (left < 0) throw new JqError("skip doesn't support negative count", 'range');
        return filter.run(frame, input, (item) => (--left >= 0 ? undefined : emit(item)));
      }),
    () => (frame, path, input, emit) =>
      counts.run(frame, input, (value) => {
        let left = count(value, 'skip');
        if (left < 0) throw new JqError("skip doesn't support negative count", 'range');
        return filter.paths(frame, path, input, (at, item) => (--left >= 0 ? undefined : emit(at, item)));
      }),
  );
}

/** `nth(n; f)`: for each n the output with that number. */
function nth(counts: Filter, filter: Filter): Filter {
  const checked: Filter = many((frame, input, emit) =>
    counts.run(frame, input, (value) => {
      if (count(value, 'nth') < 0) throw new JqError("nth doesn't support negative indices", 'range');
      return emit(value);
    }),
  );
  return many(
    (frame, input, emit) =>
      checked.run(frame, input, (value) => {
        const at = first(
          skip(
            single(() => value),
            filter,
          ),
        );
        return at.run(frame, input, emit);
      }),
    () => (frame, path, input, emit) =>
      checked.run(frame, input, (value) =>
        first(
          skip(
            single(() => value),
            filter,
          ),
        ).paths(frame, path, input, emit),
      ),
  );
}

// ---- loops. State that only goes forward is a loop here, whatever the recursion says that defines it in jq.

function until(condition: Filter, next: Filter): Filter {
  const { one: conditionOne } = condition;
  const { one: nextOne } = next;
  if (conditionOne !== null && nextOne !== null) {
    return single((frame, input) => {
      const { machine } = frame;
      const mark = machine.temp;
      const gauge = new Gauge();
      let state = input;
      for (;;) {
        machine.step(1);
        const done = conditionOne(frame, state);
        if (done === NOTHING) return NOTHING;
        if (isTruthy(done)) return state;
        const after = nextOne(frame, state);
        if (after === NOTHING) return NOTHING;
        state = after;
        machine.temp = mark + gauge.settle(state, machine.temp - mark);
      }
    });
  }
  const go = (frame: Frame, state: Value, emit: Emit): Signal => {
    frame.machine.step(1);
    return condition.run(frame, state, (done) => {
      if (isTruthy(done)) return emit(state);
      frame.machine.enter();
      const signal = next.run(frame, state, (value) => go(frame, value, emit));
      frame.machine.depth--;
      return signal;
    });
  };
  return many(go);
}

function whileLoop(condition: Filter, update: Filter): Filter {
  const { one: conditionOne } = condition;
  const { one: updateOne } = update;
  if (conditionOne !== null && updateOne !== null) {
    return many((frame, input, emit) => {
      const { machine } = frame;
      const mark = machine.temp;
      const gauge = new Gauge();
      let state = input;
      for (;;) {
        machine.step(1);
        const goOn = conditionOne(frame, state);
        if (goOn === NOTHING || !isTruthy(goOn)) return undefined;
        const before = machine.temp;
        const signal = emit(state);
        if (signal !== undefined) return signal;
        machine.temp = before;
        const after = updateOne(frame, state);
        if (after === NOTHING) return undefined;
        state = after;
        machine.temp = mark + gauge.settle(state, machine.temp - mark);
      }
    });
  }
  const go = (frame: Frame, state: Value, emit: Emit): Signal => {
    frame.machine.step(1);
    return condition.run(frame, state, (goOn) => {
      if (!isTruthy(goOn)) return undefined;
      const signal = emit(state);
      if (signal !== undefined) return signal;
      frame.machine.enter();
      const after = update.run(frame, state, (value) => go(frame, value, emit));
      frame.machine.depth--;
      return after;
    });
  };
  return many(go);
}

/** `repeat(f)` as jq 1.8 defines it: the outputs of `f`, for ever. */
function repeat(filter: Filter): Filter {
  return many((frame, input, emit) => {
    const { machine } = frame;
    const mark = machine.temp;
    for (;;) {
      machine.step(1);
      const signal = filter.run(frame, input, emit);
      if (signal !== undefined) return signal;
      machine.temp = mark;
    }
  });
}

/** `recurse(f)`: depth first. With one successor it is a loop; otherwise as deep as the data. */
function recurse(next: Filter): Filter {
  const { one, run } = next;
  const runAll =
    one === null
      ? (frame: Frame, value: Value, emit: Emit): Signal => {
          const { machine } = frame;
          machine.step(1);
          const signal = emit(value);
          if (signal !== undefined) return signal;
          machine.enter();
          const below = run(frame, value, (inner) => runAll(frame, inner, emit));
          machine.depth--;
          return below;
        }
      : (frame: Frame, input: Value, emit: Emit): Signal => {
          const { machine } = frame;
          const mark = machine.temp;
          const gauge = new Gauge();
          let state = input;
          for (;;) {
            machine.step(1);
            const before = machine.temp;
            const signal = emit(state);
            if (signal !== undefined) return signal;
            machine.temp = before;
            const after = one(frame, state);
            if (after === NOTHING) return undefined;
            state = after;
            machine.temp = mark + gauge.settle(state, machine.temp - mark);
          }
        };
  return many(runAll, () => {
    const { paths } = next;
    const go = (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal => {
      const { machine } = frame;
      machine.step(1);
      const signal = emit(path, value);
      if (signal !== undefined) return signal;
      machine.enter();
      const below = paths(frame, path, value, (at, inner) => go(frame, at, inner, emit));
      machine.depth--;
      return below;
    };
    return go;
  });
}

/** `.[]?` */
export const ITEMS: Filter = many(
  (frame, input, emit) =>
    typeof input === 'object' && input !== null && !isNumber(input)
      ? iterate(frame.machine, input, emit, null, null)
      : undefined,
  () => (frame, path, value, emit) => {
    if (typeof value !== 'object' || value === null || isNumber(value)) return undefined;
    const parent = iteratePath(path, value);
    const keys = Array.isArray(value) ? null : Object.keys(value);
    let index = 0;
    return iterate(
      frame.machine,
      value,
      (item) => {
        const key = keys === null ? index : (keys[index] as string);
        index++;
        return emit(stepInto(parent, key, value), item);
      },
      null,
      null,
    );
  },
);

/** `any`/`all`: stops at the first item that decides. */
function quantified(items: Filter, condition: Filter, decides: boolean): Filter {
  const { one } = condition;
  return single((frame, input) => {
    let decided = false;
    const signal = items.run(frame, input, (item) => {
      if (one !== null) {
        const value = one(frame, item);
        if (value === NOTHING || isTruthy(value) !== decides) return undefined;
        decided = true;
        return STOP;
      }
      return condition.run(frame, item, (value) => {
        if (isTruthy(value) !== decides) return undefined;
        decided = true;
        return STOP;
      });
    });
    if (signal !== undefined && signal !== STOP) throw signal;
    return decided ? decides : !decides;
  });
}

const ALL_ITEMS: Filter = many((frame, input, emit) => iterate(frame.machine, input, emit, frame.machine.at, null));

function noted(filter: Filter, span: Span): Filter {
  const { run } = filter;
  return many((frame, input, emit) => {
    frame.machine.at = span;
    return run(frame, input, emit);
  });
}

/** `range(from; upto; by)` over every combination of bounds, the first varying slowest. */
function range(froms: Filter, uptos: Filter, steps: Filter | null): Filter {
  const loop = (frame: Frame, from: number, upto: number, by: number, emit: Emit): Signal => {
    const { machine } = frame;
    const mark = machine.temp;
    if (by === 0) return undefined;
    for (let at = from; by > 0 ? at < upto : at > upto; at += by) {
      machine.step(1);
      const signal = emit(at);
      if (signal !== undefined) return signal;
      machine.temp = mark;
    }
    return undefined;
  };
  const numeric = (value: Value): number => {
    if (!isNumber(value)) throw new JqError('Range bounds must be numeric', 'type');
    return toDouble(value);
  };
  return many((frame, input, emit) =>
    froms.run(frame, input, (from) =>
      uptos.run(frame, input, (upto) => {
        if (steps === null) return loop(frame, numeric(from), numeric(upto), 1, emit);
        return steps.run(frame, input, (by) => loop(frame, numeric(from), numeric(upto), numeric(by), emit));
      }),
    ),
  );
}

const ZERO = single(() => 0);

function sum(items: Filter): Filter {
  return single((frame, input) => {
    const { machine } = frame;
    const at = machine.at;
    // Strings and arrays are joined at the end: adding them one by one would be quadratic.
    const parts: Value[] = [];
    let total: Value = null;
    const flush = (): void => {
      total = joinAll(frame, total, parts);
      parts.length = 0;
    };
    const signal = items.run(frame, input, (item) => {
      machine.at = at;
      const head = parts[0];
      if (Array.isArray(item) && (Array.isArray(total) || total === null)) {
        machine.allocate(8 * item.length);
        parts.push(item);
      } else {
        if (head !== undefined) flush();
        total = add(machine, total, item);
      }
      return undefined;
    });
    if (signal !== undefined) throw signal;
    flush();
    return total;
  });
}

function joinAll(frame: Frame, total: Value, parts: Value[]): Value {
  if (parts.length === 0) return total;
  const arrays = (total === null ? parts : [total, ...parts]) as Value[][];
  if (arrays.length === 1) return arrays[0] as Value;
  frame.machine.allocateArray(arrays.reduce((length, array) => length + array.length, 0));
  return arrays.flat(1);
}

function walk(filter: Filter): Filter {
  const { one } = filter;
  if (one !== null) {
    const go = (frame: Frame, value: Value): Value | typeof NOTHING => {
      const { machine } = frame;
      machine.step(1);
      if (typeof value !== 'object' || value === null || isNumber(value)) return one(frame, value);
      machine.enter();
      let changed: Value;
      if (Array.isArray(value)) {
        machine.allocateArray(value.length);
        const items: Value[] = [];
        for (const item of value) {
          const after = go(frame, item);
          if (after !== NOTHING) items.push(after);
        }
        changed = items;
      } else {
        const keys = Object.keys(value);
        machine.allocateObject(keys.length);
        const object: ValueObject = {};
        for (const key of keys) {
          const after = go(frame, value[key] ?? null);
          if (after !== NOTHING) writeKey(object, key, after);
        }
        changed = object;
      }
      machine.depth--;
      return one(frame, changed);
    };
    return single(go);
  }
  const go = (frame: Frame, value: Value, emit: Emit): Signal => {
    const { machine } = frame;
    machine.step(1);
    let changed = value;
    machine.enter();
    if (Array.isArray(value)) {
      const items: Value[] = [];
      for (const item of value) {
        const signal = go(frame, item, (after) => {
          machine.allocate(8);
          items.push(after);
          return undefined;
        });
        if (signal !== undefined) return signal;
      }
      changed = items;
    } else if (typeof value === 'object' && value !== null && !isNumber(value)) {
      const object: ValueObject = {};
      for (const key of Object.keys(value)) {
        machine.allocate(24);
        const signal = go(frame, value[key] ?? null, (after) => {
          writeKey(object, key, after);
          return STOP;
        });
        if (signal !== undefined && signal !== STOP) return signal;
      }
      changed = object;
    }
    machine.depth--;
    return filter.run(frame, changed, emit);
  };
  return many(go);
}

function argument(filters: Filter[], at: number): Filter {
  return filters[at] as Filter;
}

export const CONTROL: Builtins = {
  'empty/0': () => EMPTY,
  'not/0': ofInput((_machine, input) => !isTruthy(input)),
  'error/0': ofInput((_machine, input) => {
    throw new JqError(input, 'error');
  }),
  'error/1': ofOne((_machine, _input, message) => {
    throw new JqError(message, 'error');
  }),
  'select/1': ofFilters((filters) => conditional(argument(filters, 0), IDENTITY, EMPTY)),
  'recurse/0': () => recurse(ITEMS),
  'recurse_down/0': () => recurse(ITEMS),
  'recurse/1': ofClosures((filters) => recurse(argument(filters, 0))),
  'recurse/2': ofClosures((filters) =>
    recurse(pipe(argument(filters, 0), conditional(argument(filters, 1), IDENTITY, EMPTY))),
  ),
  'range/1': ofFilters((filters) => range(ZERO, argument(filters, 0), null)),
  'range/2': ofFilters((filters) => range(argument(filters, 0), argument(filters, 1), null)),
  'range/3': ofFilters((filters) => range(argument(filters, 0), argument(filters, 1), argument(filters, 2))),
  'first/1': ofFilters((filters) => first(argument(filters, 0))),
  'last/1': ofFilters((filters) => last(argument(filters, 0))),
  'limit/2': ofFilters((filters) => limit(argument(filters, 0), argument(filters, 1))),
  'skip/2': ofFilters((filters) => skip(argument(filters, 0), argument(filters, 1))),
  'nth/2': ofFilters((filters) => nth(argument(filters, 0), argument(filters, 1))),
  'until/2': ofClosures((filters) => until(argument(filters, 0), argument(filters, 1))),
  'while/2': ofClosures((filters) => whileLoop(argument(filters, 0), argument(filters, 1))),
  'repeat/1': ofClosures((filters) => repeat(argument(filters, 0))),
  'walk/1': ofClosures((filters) => walk(argument(filters, 0))),
  'isempty/1': ofFilters((filters) => {
    const head = firstOf(argument(filters, 0));
    return single((frame, input) => head(frame, input) === NOTHING);
  }),
  'any/0': ofFilters((_filters, span) => quantified(noted(ALL_ITEMS, span), IDENTITY, true)),
  'all/0': ofFilters((_filters, span) => quantified(noted(ALL_ITEMS, span), IDENTITY, false)),
  'any/1': ofFilters((filters, span) => quantified(noted(ALL_ITEMS, span), argument(filters, 0), true)),
  'all/1': ofFilters((filters, span) => quantified(noted(ALL_ITEMS, span), argument(filters, 0), false)),
  'any/2': ofFilters((filters) => quantified(argument(filters, 0), argument(filters, 1), true)),
  'all/2': ofFilters((filters) => quantified(argument(filters, 0), argument(filters, 1), false)),
  'add/0': ofFilters((_filters, span) => sum(noted(ALL_ITEMS, span))),
  'add/1': ofFilters((filters) => sum(argument(filters, 0))),
  'isvalid/1': ofFilters((filters) => {
    const checked = attempt(
      pipe(
        argument(filters, 0),
        single(() => true),
      ),
      single(() => false),
    );
    return checked;
  }),
  // Reading more input or writing to a log is nothing a program in the product can do: neutral, or refused.
  'input/0': ofInput(() => {
    throw new JqError('break', 'no-input');
  }),
  'inputs/0': () => EMPTY,
  'debug/0': () => IDENTITY,
  'debug/1': ofFilters(() => IDENTITY),
  'stderr/0': () => IDENTITY,
  'input_filename/0': ofInput(() => null),
  'input_line_number/0': ofInput(() => 0),
  'halt/0': ofInput(() => {
    throw new JqError('halt is not available here', 'refused');
  }),
  'halt_error/0': ofInput(() => {
    throw new JqError('halt_error is not available here', 'refused');
  }),
  'halt_error/1': ofOne(() => {
    throw new JqError('halt_error is not available here', 'refused');
  }),
  'get_search_list/0': ofInput(() => []),
  'now/0': ofInput((machine) => machine.world.now() / 1000),
  'env/0': ofInput((machine) => machine.world.env as { [key: string]: Value }),
};
