import { isInheritedKey, isObject, type Value, type ValueObject, writeKey } from '../json.ts';
import type {
  ArrayConstruction,
  Ast,
  Format,
  Index,
  Iterate,
  Location,
  ObjectConstruction,
  Slice,
  StringTemplate,
  Variable,
} from './ast.ts';
import type { Compiler } from './compiler.ts';
import { JqError, type Span } from './errors.ts';
import { type Filter, type Frame, many, NOTHING, type Nothing, type Signal, single } from './filter.ts';
import { findFormat } from './formats.ts';
import type { Machine } from './machine.ts';
import { constantOf } from './parser.ts';
import { getKey, iteratePath, type Path, slice, stepInto } from './path.ts';
import { type Context, climb, findVariable, hopsBetween } from './scope.ts';
import { described } from './values.ts';

const IDENTITY = single(
  (_frame, input) => input,
  () => (_frame, path, value, emit) => emit(path, value),
);

export function compileIdentity(): Filter {
  return IDENTITY;
}

export function compileLiteral(value: Value): Filter {
  return single(() => value);
}

export function compileLocation(ast: Location): Filter {
  return compileLiteral({ file: '<top-level>', line: ast.line });
}

export function compileVariable(compiler: Compiler, ast: Variable, context: Context): Filter {
  const binding = findVariable(context.scope, ast.name);
  if (binding?.kind === 'constant') return compileLiteral(binding.value);
  if (binding?.kind === 'variable') {
    const { slot } = binding;
    const hops = hopsBetween(context.layout, binding.layout);
    if (hops === 0) return single((frame) => frame.slots[slot] as Value);
    const up = climb(hops);
    return single((frame) => up(frame).slots[slot] as Value);
  }
  if (ast.name === 'ENV') return single((frame) => frame.machine.world.env as ValueObject);
  compiler.fail('undefined-variable', `$${ast.name} is not defined`, ast);
}

// ---- paths

function where(ast: Ast, context: Context): Span | null {
  return ast.kind === 'identity' ? context.subject : ast;
}

/** What a step answers; NOTHING where it does not apply and is optional. */
type Getter = (machine: Machine, value: Value) => Value | Nothing;
type KeyGetter = (machine: Machine, value: Value, key: Value) => Value | Nothing;

export function compileIndex(compiler: Compiler, ast: Index, context: Context): Filter {
  const target = compiler.inner(ast.target, context);
  const key = constantOf(ast.key);
  const subject = where(ast.target, context);
  const need = typeof key === 'string' ? 'an object' : 'an object or an array';
  const get: KeyGetter = (machine, value, index) => {
    try {
      return getKey(machine, value, index);
    } catch (error) {
      if (!(error instanceof JqError)) throw error;
      if (ast.optional) {
        machine.caught();
        return NOTHING;
      }
      throw error.at(ast, subject, need);
    }
  };
  if (typeof key === 'string') {
    return fieldFilter(target, key, fieldGetter(key, get), ast.target.kind === 'identity');
  }
  return keyed(target, compiler.inner(ast.key, context), get);
}

function fieldGetter(key: string, slow: KeyGetter): Getter {
  if (isInheritedKey(key) || key === 'length') return (machine, value) => slow(machine, value, key);
  return (machine, value) => {
    if (typeof value === 'object' && value !== null) {
      const item = (value as ValueObject)[key];
      if (item !== undefined && !Array.isArray(value)) return item;
    } else if (value === null) return null;
    return slow(machine, value, key);
  };
}

type ToPath = (path: Path, value: Value) => Signal;

function fieldFilter(target: Filter, key: string, get: Getter, onInput: boolean): Filter {
  const { one, run } = target;
  const paths = () => {
    const { paths: targetPaths } = target;
    return (frame: Frame, path: Path, value: Value, emit: ToPath): Signal =>
      targetPaths(frame, path, value, (at, inner) => {
        const step = stepInto(at, key, inner);
        const item = get(frame.machine, inner);
        return item === NOTHING ? undefined : emit(step, item);
      });
  };
  if (onInput) return single((frame, input) => get(frame.machine, input), paths);
  if (one !== null) {
    return single((frame, input) => {
      const value = one(frame, input);
      return value === NOTHING ? NOTHING : get(frame.machine, value);
    }, paths);
  }
  return many(
    (frame, input, emit) =>
      run(frame, input, (value) => {
        const item = get(frame.machine, value);
        return item === NOTHING ? undefined : emit(item);
      }),
    paths,
  );
}

/** `target[key]`: jq evaluates the key first, on the input, and the target for each of its values. */
function keyed(target: Filter, key: Filter, get: KeyGetter): Filter {
  const { one: targetOne, run: targetRun } = target;
  const { one: keyOne, run: keyRun } = key;
  const paths = () => {
    const { paths: targetPaths } = target;
    return (frame: Frame, path: Path, value: Value, emit: ToPath): Signal =>
      keyRun(frame, value, (index) =>
        targetPaths(frame, path, value, (at, inner) => {
          const step = stepInto(at, index, inner);
          const item = get(frame.machine, inner, index);
          return item === NOTHING ? undefined : emit(step, item);
        }),
      );
  };
  if (targetOne !== null && keyOne !== null) {
    return single((frame, input) => {
      const index = keyOne(frame, input);
      if (index === NOTHING) return NOTHING;
      const value = targetOne(frame, input);
      return value === NOTHING ? NOTHING : get(frame.machine, value, index);
    }, paths);
  }
  return many(
    (frame, input, emit) =>
      keyRun(frame, input, (index) =>
        targetRun(frame, input, (value) => {
          const item = get(frame.machine, value, index);
          return item === NOTHING ? undefined : emit(item);
        }),
      ),
    paths,
  );
}

export function compileSlice(compiler: Compiler, ast: Slice, context: Context): Filter {
  const target = compiler.inner(ast.target, context);
  const from = ast.from === null ? compileLiteral(null) : compiler.inner(ast.from, context);
  const to = ast.to === null ? compileLiteral(null) : compiler.inner(ast.to, context);
  const subject = where(ast.target, context);
  const get = (machine: Machine, value: Value, start: Value, end: Value): Value | Nothing => {
    try {
      return slice(machine, value, start, end);
    } catch (error) {
      if (!(error instanceof JqError)) throw error;
      if (ast.optional) {
        machine.caught();
        return NOTHING;
      }
      throw error.at(ast, subject, 'an array or a string');
    }
  };
  const { one: targetOne, run: targetRun } = target;
  const { one: fromOne, run: fromRun } = from;
  const { one: toOne, run: toRun } = to;
  const paths = () => {
    const { paths: targetPaths } = target;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      fromRun(frame, value, (start) =>
        toRun(frame, value, (end) =>
          targetPaths(frame, path, value, (at, inner) => {
            const step = stepInto(at, { start, end }, inner);
            const item = get(frame.machine, inner, start, end);
            return item === NOTHING ? undefined : emit(step, item);
          }),
        ),
      );
  };
  if (targetOne !== null && fromOne !== null && toOne !== null) {
    return single((frame, input) => {
      const start = fromOne(frame, input);
      if (start === NOTHING) return NOTHING;
      const end = toOne(frame, input);
      if (end === NOTHING) return NOTHING;
      const value = targetOne(frame, input);
      return value === NOTHING ? NOTHING : get(frame.machine, value, start, end);
    }, paths);
  }
  return many(
    (frame, input, emit) =>
      fromRun(frame, input, (start) =>
        toRun(frame, input, (end) =>
          targetRun(frame, input, (value) => {
            const item = get(frame.machine, value, start, end);
            return item === NOTHING ? undefined : emit(item);
          }),
        ),
      ),
    paths,
  );
}

export function compileIterate(compiler: Compiler, ast: Iterate, context: Context): Filter {
  const target = compiler.inner(ast.target, context);
  const subject = where(ast.target, context);
  const each = (machine: Machine, value: Value, emit: (value: Value) => Signal): Signal =>
    ast.optional && !Array.isArray(value) && !isObject(value) ? undefined : iterate(machine, value, emit, ast, subject);
  const paths = () => {
    const { paths: targetPaths } = target;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      targetPaths(frame, path, value, (at, inner) => {
        const parent = iteratePath(at, inner);
        const keys = Array.isArray(inner) ? null : isObject(inner) ? Object.keys(inner) : null;
        let index = 0;
        return each(frame.machine, inner, (item) => {
          const key = keys === null ? index : (keys[index] as string);
          index++;
          return emit(stepInto(parent, key, inner), item);
        });
      });
  };
  const { one, run } = target;
  if (ast.target.kind === 'identity') return many((frame, input, emit) => each(frame.machine, input, emit), paths);
  if (one !== null) {
    return many((frame, input, emit) => {
      const value = one(frame, input);
      return value === NOTHING ? undefined : each(frame.machine, value, emit);
    }, paths);
  }
  return many((frame, input, emit) => run(frame, input, (value) => each(frame.machine, value, emit)), paths);
}

/** Emits the items of an array or the values of an object, one step each. */
export function iterate(
  machine: Machine,
  value: Value,
  emit: (value: Value) => Signal,
  span: Span | null,
  subject: Span | null,
): Signal {
  const mark = machine.temp;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      machine.step(1);
      const signal = emit(value[at] ?? null);
      if (signal !== undefined) return signal;
      machine.temp = mark;
    }
    return undefined;
  }
  if (isObject(value)) {
    const keys = Object.keys(value);
    machine.list(keys.length);
    for (const key of keys) {
      machine.step(1);
      const signal = emit(value[key] ?? null);
      if (signal !== undefined) return signal;
      machine.temp = mark;
    }
    return undefined;
  }
  const error = new JqError(`Cannot iterate over ${described(value)}`, 'iterate');
  throw span === null ? error : error.at(span, subject, 'an array or an object');
}

// ---- construction

export function compileArray(compiler: Compiler, ast: ArrayConstruction, context: Context): Filter {
  if (ast.body === null) return compileLiteral([]);
  const constant = constantOf(ast);
  if (constant !== undefined) {
    compiler.hasLiterals = true;
    return compileLiteral(constant);
  }
  const items = commaItems(ast.body).map((item) => compiler.inner(item, context));
  const ones = items.map((item) => item.one);
  if (ones.every((one) => one !== null)) return arrayOfOnes(ones);
  const body = compiler.inner(ast.body, context);
  return single((frame, input) => collect(frame, body, input));
}

function commaItems(ast: Ast): Ast[] {
  const items: Ast[] = [];
  let at = ast;
  while (at.kind === 'comma') {
    items.push(at.right);
    at = at.left;
  }
  items.push(at);
  return items.reverse();
}

function arrayOfOnes(ones: ((frame: Frame, input: Value) => Value | Nothing)[]): Filter {
  return single((frame, input) => {
    frame.machine.allocateArray(ones.length);
    const array = new Array<Value>(ones.length);
    let length = 0;
    for (const one of ones) {
      const value = one(frame, input);
      if (value !== NOTHING) array[length++] = value;
    }
    if (length < array.length) array.length = length;
    return array;
  });
}

/** All outputs of a filter. A `break` that passes through leaves as an exception; its `label` knows both ways. */
export function collect(frame: Frame, filter: Filter, input: Value): Value[] {
  const { machine } = frame;
  const { one } = filter;
  if (one !== null) {
    machine.allocateArray(1);
    const value = one(frame, input);
    return value === NOTHING ? [] : [value];
  }
  const items: Value[] = [];
  const mark = machine.temp;
  let held = 40;
  machine.retained += held;
  const signal = filter.run(frame, input, (value) => {
    items.push(value);
    const cost = 8 + machine.cost(value, machine.temp - mark);
    held += cost;
    machine.retained += cost;
    // Nothing new, but what is retained has grown: the limit is checked here.
    machine.allocate(0);
    return undefined;
  });
  machine.retained -= held;
  machine.temp = mark + held;
  if (signal !== undefined) throw signal;
  // V8 reserves 17 places for the first item that is pushed: three times what a small array needs.
  return items.length < 16 ? items.slice() : items;
}

export function compileObject(compiler: Compiler, ast: ObjectConstruction, context: Context): Filter {
  const constant = constantOf(ast);
  if (constant !== undefined) {
    compiler.hasLiterals = true;
    return compileLiteral(constant);
  }
  const entries = ast.entries.map((entry) => {
    const key = compiler.inner(entry.key, context);
    const shorthand: Ast = {
      kind: 'index',
      target: { kind: 'identity', start: entry.start, end: entry.start },
      key: entry.key,
      optional: false,
      start: entry.start,
      end: entry.end,
    };
    const value = compiler.inner(entry.value ?? shorthand, context);
    const constantKey = constantOf(entry.key);
    return { key, value, constantKey: typeof constantKey === 'string' ? constantKey : null, span: entry.key };
  });
  if (
    entries.every(
      (entry) => entry.value.one !== null && entry.constantKey !== null && entry.constantKey !== '__proto__',
    )
  ) {
    return objectOfOnes(
      entries.map((entry) => entry.constantKey as string),
      entries.map((entry) => entry.value.one as NonNullable<Filter['one']>),
    );
  }
  if (entries.every((entry) => entry.value.one !== null && entry.key.one !== null)) {
    return single((frame, input) => {
      frame.machine.allocateObject(entries.length);
      frame.machine.step(6 * entries.length);
      const object: ValueObject = {};
      for (const entry of entries) {
        const key = entry.key.one?.(frame, input) ?? null;
        if (key === NOTHING) return NOTHING;
        const value = entry.value.one?.(frame, input) ?? null;
        if (value === NOTHING) return NOTHING;
        writeKey(object, objectKey(key, entry.span), value);
      }
      return object;
    });
  }
  const build = (
    frame: Frame,
    input: Value,
    at: number,
    partial: ValueObject,
    emit: (value: Value) => Signal,
  ): Signal => {
    const entry = entries[at];
    if (entry === undefined) return emit(partial);
    return entry.key.run(frame, input, (key) =>
      entry.value.run(frame, input, (value) => {
        frame.machine.step(1);
        frame.machine.allocateObject(at + 1);
        const object = { ...partial };
        writeKey(object, objectKey(key, entry.span), value);
        return build(frame, input, at + 1, object, emit);
      }),
    );
  };
  return many((frame, input, emit) => build(frame, input, 0, {}, emit));
}

function objectOfOnes(keys: string[], ones: ((frame: Frame, input: Value) => Value | Nothing)[]): Filter {
  return single((frame, input) => {
    frame.machine.allocateObject(keys.length);
    const object: ValueObject = {};
    for (let at = 0; at < keys.length; at++) {
      const value = (ones[at] as (frame: Frame, input: Value) => Value | Nothing)(frame, input);
      if (value === NOTHING) return NOTHING;
      object[keys[at] as string] = value;
    }
    return object;
  });
}

function objectKey(key: Value, span: Span): string {
  if (typeof key === 'string') return key;
  throw new JqError(`Cannot use ${described(key)} as object key`, 'object-key', span);
}

// ---- strings

export function compileFormat(compiler: Compiler, ast: Format): Filter {
  const format = findFormat(ast.name);
  if (format === null) compiler.fail('format', `${ast.name} is not a valid format`, ast);
  return single((frame, input) => {
    frame.machine.at = ast;
    return format(frame.machine, input);
  });
}

/** A string with interpolations: with several outputs, jq varies the first interpolation fastest. */
export function compileTemplate(compiler: Compiler, ast: StringTemplate, context: Context): Filter {
  const format = findFormat(ast.format);
  if (format === null) compiler.fail('format', `${ast.format} is not a valid format`, ast);
  const parts = ast.parts.map((part) => (typeof part === 'string' ? part : compiler.inner(part, context)));
  const text = (machine: Machine, value: Value): string => {
    if (typeof value === 'string' && ast.format === 'text') return value;
    machine.at = ast;
    return format(machine, value);
  };
  if (parts.every((part) => typeof part === 'string' || part.one !== null)) {
    return single((frame, input) => {
      let result = '';
      frame.machine.step(parts.length);
      for (const part of parts) {
        if (typeof part === 'string') result += part;
        else {
          const value = (part.one as NonNullable<Filter['one']>)(frame, input);
          if (value === NOTHING) return NOTHING;
          result += text(frame.machine, value);
        }
        frame.machine.allocateString(result.length);
      }
      return result;
    });
  }
  const build = (frame: Frame, input: Value, at: number, tail: string, emit: (value: Value) => Signal): Signal => {
    const part = parts[at];
    if (part === undefined) return emit(tail);
    if (typeof part === 'string') return build(frame, input, at - 1, part + tail, emit);
    return part.run(frame, input, (value) => {
      const longer = text(frame.machine, value) + tail;
      frame.machine.allocateString(longer.length);
      return build(frame, input, at - 1, longer, emit);
    });
  };
  return many((frame, input, emit) => build(frame, input, parts.length - 1, '', emit));
}
