import type { Value } from '../json.ts';
import type { Ast, Bind, Foreach, Pattern, Reduce } from './ast.ts';
import type { Compiler } from './compiler.ts';
import { JqError } from './errors.ts';
import { drive, type Emit, type Filter, type Frame, many, NOTHING, type Signal, single } from './filter.ts';
import { Gauge } from './machine.ts';
import { checkedPath, getKey, type Path } from './path.ts';
import { type Context, Scope } from './scope.ts';
import { kindName } from './values.ts';

/** Destructures a value into the frame's slots and goes on once per way to do so. */
type Bindings = (frame: Frame, input: Value, value: Value, proceed: () => Signal) => Signal;

interface CompiledPatterns {
  scope: Scope | null;
  bind: Bindings;
  /** The slot of a lone `$name`, which needs no callback. */
  slot: number | null;
}

function patternVariables(pattern: Pattern, names: Set<string>): void {
  switch (pattern.kind) {
    case 'variable':
      names.add(pattern.name);
      return;
    case 'array':
      for (const item of pattern.items) patternVariables(item, names);
      return;
    case 'object':
      for (const entry of pattern.entries) {
        if (entry.variable !== null) names.add(entry.variable);
        if (entry.value !== null) patternVariables(entry.value, names);
      }
  }
}

/**
 * With `?//`, every variable of every pattern exists (null where a pattern does not bind it), and an error anywhere
 * after the destructuring, downstream included, goes on with the next pattern, as in jq.
 */
function compilePatterns(compiler: Compiler, patterns: Pattern[], context: Context): CompiledPatterns {
  const names = new Set<string>();
  for (const pattern of patterns) patternVariables(pattern, names);
  let { scope } = context;
  const slots = new Map<string, number>();
  for (const name of names) {
    const slot = context.layout.slot();
    slots.set(name, slot);
    scope = new Scope({ kind: 'variable', name, layout: context.layout, slot }, scope);
  }
  // Keys like {("a" + $x): $y} see the variables bound before them.
  const inside: Context = { ...context, scope, tail: false };
  const compiled = patterns.map((pattern) => compilePattern(compiler, pattern, inside, slots));
  const first = compiled[0] as Bindings;
  const only = patterns.length === 1 ? (patterns[0] as Pattern) : null;
  if (only !== null) {
    const slot = only.kind === 'variable' ? (slots.get(only.name) ?? null) : null;
    return { scope, bind: first, slot };
  }
  const all = [...slots.values()];
  const bind: Bindings = (frame, input, value, proceed) => {
    for (const [at, pattern] of compiled.entries()) {
      for (const slot of all) frame.slots[slot] = null;
      if (at === compiled.length - 1) return pattern(frame, input, value, proceed);
      const { depth, retained, temp } = frame.machine;
      try {
        return pattern(frame, input, value, proceed);
      } catch (error) {
        if (!(error instanceof JqError)) throw error;
        frame.machine.depth = depth;
        frame.machine.retained = retained;
        frame.machine.temp = temp;
      }
    }
    return undefined;
  };
  return { scope, bind, slot: null };
}

function compilePattern(compiler: Compiler, pattern: Pattern, context: Context, slots: Map<string, number>): Bindings {
  switch (pattern.kind) {
    case 'variable': {
      const slot = slots.get(pattern.name) as number;
      return (frame, _input, value, proceed) => {
        frame.slots[slot] = value;
        return proceed();
      };
    }
    case 'array': {
      const items = pattern.items.map((item) => compilePattern(compiler, item, context, slots));
      return (frame, input, value, proceed) => {
        if (value !== null && !Array.isArray(value)) {
          throw new JqError(`Cannot index ${kindName(value)} with number`, 'index', pattern);
        }
        const next = (at: number): Signal => {
          const item = items[at];
          return item === undefined ? proceed() : item(frame, input, value?.[at] ?? null, () => next(at + 1));
        };
        return next(0);
      };
    }
    case 'object':
      return compileObjectPattern(compiler, pattern.entries, context, slots);
  }
}

function compileObjectPattern(
  compiler: Compiler,
  entries: { key: Ast; variable: string | null; value: Pattern | null }[],
  context: Context,
  slots: Map<string, number>,
): Bindings {
  const compiled = entries.map((entry) => ({
    key: compiler.inner(entry.key, context, null),
    span: entry.key,
    slot: entry.variable === null ? null : (slots.get(entry.variable) as number),
    value: entry.value === null ? null : compilePattern(compiler, entry.value, context, slots),
  }));
  return (frame, input, value, proceed) => {
    const next = (at: number): Signal => {
      const entry = compiled[at];
      if (entry === undefined) return proceed();
      return entry.key.run(frame, input, (key) => {
        if (typeof key !== 'string') {
          throw new JqError(`Cannot index ${kindName(value)} with ${kindName(key)}`, 'index', entry.span);
        }
        frame.machine.at = entry.span;
        const item = getKey(frame.machine, value, key);
        if (entry.slot !== null) frame.slots[entry.slot] = item;
        return entry.value === null ? next(at + 1) : entry.value(frame, input, item, () => next(at + 1));
      });
    };
    return next(0);
  };
}

export function compileBind(compiler: Compiler, ast: Bind, context: Context): Filter {
  const source = compiler.inner(ast.source, context);
  const { scope, bind, slot } = compilePatterns(compiler, ast.patterns, context);
  const body = compiler.compile(ast.body, { ...context, scope });
  const { one: sourceOne, run: sourceRun } = source;
  const { one: bodyOne, run: bodyRun } = body;
  const paths = () => {
    const { paths: bodyPaths } = body;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      sourceRun(frame, value, (item) =>
        bind(frame, value, item, () => drive(frame.machine, bodyPaths(frame, path, value, emit))),
      );
  };
  if (slot !== null && sourceOne !== null) {
    if (bodyOne !== null) {
      return single((frame, input) => {
        const value = sourceOne(frame, input);
        if (value === NOTHING) return NOTHING;
        frame.slots[slot] = value;
        return bodyOne(frame, input);
      }, paths);
    }
    return many((frame, input, emit) => {
      const value = sourceOne(frame, input);
      if (value === NOTHING) return undefined;
      frame.slots[slot] = value;
      return bodyRun(frame, input, emit);
    }, paths);
  }
  return many(
    (frame, input, emit) =>
      sourceRun(frame, input, (value) =>
        bind(frame, input, value, () => drive(frame.machine, bodyRun(frame, input, emit))),
      ),
    paths,
  );
}

/** Accounts for a state that replaces itself: keeps an estimate of its size in `retained` between the rounds. */
class State {
  value: Value;
  #held = 0;
  readonly #gauge = new Gauge();

  constructor(value: Value) {
    this.value = value;
  }

  /** The round that began at `mark` has produced a new state; everything else it allocated is garbage. */
  replace(frame: Frame, value: Value, mark: number): void {
    const { machine } = frame;
    this.value = value;
    const held = this.#gauge.settle(value, this.#held + machine.temp - mark);
    machine.retained += held - this.#held;
    machine.temp = mark;
    this.#held = held;
  }

  /** Hands the state over to the expression around the loop. */
  release(frame: Frame): void {
    frame.machine.retained -= this.#held;
    frame.machine.temp += this.#held;
    this.#held = 0;
  }
}

export function compileReduce(compiler: Compiler, ast: Reduce, context: Context): Filter {
  const source = compiler.inner(ast.source, context);
  const init = compiler.inner(ast.init, context);
  const { scope, bind, slot } = compilePatterns(compiler, ast.patterns, context);
  const update = compiler.inner(ast.update, { ...context, scope }, ast.init);
  const { one: updateOne, run: updateRun } = update;
  const { run: sourceRun } = source;

  /** A loop's source, the state as it evolves: an update without output leaves null, with several the last. */
  const reduce = (frame: Frame, input: Value, initial: Value): Value => {
    const state = new State(initial);
    const { machine } = frame;
    const round = (): Signal => {
      const mark = machine.temp;
      if (updateOne !== null) {
        const value = updateOne(frame, state.value);
        state.replace(frame, value === NOTHING ? null : value, mark);
        return undefined;
      }
      const old = state.value;
      let next: Value = null;
      const signal = updateRun(frame, old, (value) => {
        next = value;
        return undefined;
      });
      state.replace(frame, next, mark);
      return signal;
    };
    const signal = sourceRun(frame, input, (item) => {
      machine.step(1);
      if (slot === null) return bind(frame, input, item, round);
      frame.slots[slot] = item;
      return round();
    });
    if (signal !== undefined) throw signal;
    state.release(frame);
    return state.value;
  };

  const paths = () => {
    const { paths: initPaths } = init;
    const { paths: updatePaths } = update;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      initPaths(frame, path, value, (startPath, start) => {
        let atPath = startPath;
        let at = start;
        const signal = sourceRun(frame, value, (item) =>
          bind(frame, value, item, () => {
            frame.machine.step(1);
            let nextPath: Path = null;
            let next: Value = null;
            const inner = updatePaths(frame, atPath, at, (newPath, newValue) => {
              nextPath = newPath;
              next = newValue;
              return undefined;
            });
            atPath = nextPath;
            at = next;
            return inner;
          }),
        );
        return signal ?? emit(atPath, at);
      });
  };
  const { one: initOne, run: initRun } = init;
  if (initOne !== null) {
    return single((frame, input) => {
      const initial = initOne(frame, input);
      return initial === NOTHING ? NOTHING : reduce(frame, input, initial);
    }, paths);
  }
  return many((frame, input, emit) => initRun(frame, input, (initial) => emit(reduce(frame, input, initial))), paths);
}

export function compileForeach(compiler: Compiler, ast: Foreach, context: Context): Filter {
  const source = compiler.inner(ast.source, context);
  const init = compiler.inner(ast.init, context);
  const { scope, bind, slot } = compilePatterns(compiler, ast.patterns, context);
  const update = compiler.inner(ast.update, { ...context, scope }, ast.init);
  const extract = ast.extract === null ? null : compiler.inner(ast.extract, { ...context, scope }, ast.update);
  const { run: sourceRun } = source;
  const { run: updateRun, one: updateOne } = update;

  const loop = (frame: Frame, input: Value, initial: Value, emit: Emit): Signal => {
    const { machine } = frame;
    const state = new State(initial);
    const out: Emit = extract === null ? emit : (value) => extract.run(frame, value, emit);
    const round = (): Signal => {
      const mark = machine.temp;
      if (updateOne !== null) {
        const value = updateOne(frame, state.value);
        state.replace(frame, value === NOTHING ? null : value, mark);
        if (value === NOTHING) return undefined;
        const signal = out(value);
        machine.temp = mark;
        return signal;
      }
      const old = state.value;
      state.value = null;
      return updateRun(frame, old, (value) => {
        state.replace(frame, value, mark);
        return out(value);
      });
    };
    const signal = sourceRun(frame, input, (item) => {
      machine.step(1);
      if (slot === null) return bind(frame, input, item, round);
      frame.slots[slot] = item;
      return round();
    });
    if (signal === undefined) state.release(frame);
    return signal;
  };
  return many(
    (frame, input, emit) => init.run(frame, input, (initial) => loop(frame, input, initial, emit)),
    () => {
      const { paths: initPaths } = init;
      const { paths: updatePaths } = update;
      const extractPaths = extract?.paths ?? null;
      return (frame, path, value, emit) =>
        initPaths(frame, path, value, (startPath, start) => {
          let atPath = startPath;
          let at = start;
          return sourceRun(frame, value, (item) =>
            bind(frame, value, item, () => {
              frame.machine.step(1);
              const fromPath = atPath;
              const from = at;
              return updatePaths(frame, fromPath, from, (newPath, newValue) => {
                atPath = newPath;
                at = newValue;
                return extractPaths === null ? emit(newPath, newValue) : extractPaths(frame, newPath, newValue, emit);
              });
            }),
          );
        });
    },
  );
}

/** Collects the paths of a filter's outputs. */
export function collectPaths(
  frame: Frame,
  filter: Filter,
  input: Value,
  take: (path: Path, value: Value) => Signal,
): Signal {
  return filter.paths(frame, null, input, (path, value) => {
    frame.machine.step(1);
    return take(checkedPath(path, value), value);
  });
}
