import { isObject, readKey, type Value } from '../json.ts';
import type { Break, If, Label as LabelAst, Try } from './ast.ts';
import { compileIdentity } from './compile-term.ts';
import type { Compiler } from './compiler.ts';
import { JqError } from './errors.ts';
import { drive, type Filter, type Frame, Label, many, NOTHING, type Signal, Stop, single } from './filter.ts';
import type { Machine } from './machine.ts';
import type { Path } from './path.ts';
import { type Context, climb, findLabel, hopsBetween, Scope } from './scope.ts';
import { isTruthy } from './values.ts';

export function compileIf(compiler: Compiler, ast: If, context: Context): Filter {
  const condition = compiler.inner(ast.condition, context);
  const then = compiler.compile(ast.then, context);
  const otherwise = ast.otherwise === null ? compileIdentity() : compiler.compile(ast.otherwise, context);
  return conditional(condition, then, otherwise);
}

export function conditional(condition: Filter, then: Filter, otherwise: Filter): Filter {
  const { one, run } = condition;
  const { one: thenOne, run: thenRun } = then;
  const { one: otherwiseOne, run: otherwiseRun } = otherwise;
  const paths = () => {
    const { paths: thenPaths } = then;
    const { paths: otherwisePaths } = otherwise;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      run(frame, value, (test) =>
        drive(frame.machine, (isTruthy(test) ? thenPaths : otherwisePaths)(frame, path, value, emit)),
      );
  };
  if (one !== null) {
    if (thenOne !== null && otherwiseOne !== null) {
      return single((frame, input) => {
        const test = one(frame, input);
        if (test === NOTHING) return NOTHING;
        return isTruthy(test) ? thenOne(frame, input) : otherwiseOne(frame, input);
      }, paths);
    }
    return many((frame, input, emit) => {
      const test = one(frame, input);
      if (test === NOTHING) return undefined;
      return isTruthy(test) ? thenRun(frame, input, emit) : otherwiseRun(frame, input, emit);
    }, paths);
  }
  return many(
    (frame, input, emit) =>
      run(frame, input, (test) => drive(frame.machine, (isTruthy(test) ? thenRun : otherwiseRun)(frame, input, emit))),
    paths,
  );
}

/** The counters as they were before something that may fail half-way. */
class Checkpoint {
  readonly #depth: number;
  readonly #retained: number;
  readonly #temp: number;

  constructor(machine: Machine) {
    this.#depth = machine.depth;
    this.#retained = machine.retained;
    this.#temp = machine.temp;
  }

  restore(machine: Machine): void {
    machine.depth = this.#depth;
    machine.retained = this.#retained;
    machine.temp = this.#temp;
    machine.tail = null;
  }
}

/** `error(break)`: what jq raises inside `try` to leave it silently. */
function isBreak(value: Value): boolean {
  return isObject(value) && readKey(value, '__jq') !== undefined;
}

/**
 * Errors of the body go to the handler; errors of whatever consumes the body's outputs do not, although they pass
 * through here: `outside` tells them apart.
 */
export function compileTry(compiler: Compiler, ast: Try, context: Context): Filter {
  const body = compiler.inner(ast.body, context);
  const handler = ast.handler === null ? null : compiler.inner(ast.handler, context, null);
  return attempt(body, handler);
}

export function attempt(body: Filter, handler: Filter | null): Filter {
  const { one, run } = body;
  const paths = () => {
    const { paths: bodyPaths } = body;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal => {
      const checkpoint = new Checkpoint(frame.machine);
      let outside = false;
      try {
        return bodyPaths(frame, path, value, (at, inner) => {
          outside = true;
          const signal = emit(at, inner);
          outside = false;
          return signal;
        });
      } catch (error) {
        if (outside || !(error instanceof JqError) || isBreak(error.value)) throw error;
        frame.machine.caught();
        checkpoint.restore(frame.machine);
        if (handler === null) return undefined;
        return handler.paths(frame, path, error.value, emit);
      }
    };
  };
  if (one !== null && (handler === null || handler.one !== null)) {
    const handle = handler?.one ?? null;
    return single((frame, input) => {
      const { machine } = frame;
      const { depth, retained, temp } = machine;
      try {
        return one(frame, input);
      } catch (error) {
        if (!(error instanceof JqError) || isBreak(error.value)) throw error;
        machine.caught();
        machine.depth = depth;
        machine.retained = retained;
        machine.temp = temp;
        machine.tail = null;
        return handle === null ? NOTHING : handle(frame, error.value);
      }
    }, paths);
  }
  return many((frame, input, emit) => {
    const checkpoint = new Checkpoint(frame.machine);
    let outside = false;
    try {
      return run(frame, input, (value) => {
        outside = true;
        const signal = emit(value);
        outside = false;
        return signal;
      });
    } catch (error) {
      if (outside || !(error instanceof JqError) || isBreak(error.value)) throw error;
      frame.machine.caught();
      checkpoint.restore(frame.machine);
      return handler === null ? undefined : handler.run(frame, error.value, emit);
    }
  }, paths);
}

export function compileLabel(compiler: Compiler, ast: LabelAst, context: Context): Filter {
  const slot = context.layout.slot();
  const scope = new Scope({ kind: 'label', name: ast.name, layout: context.layout, slot }, context.scope);
  const body = compiler.compile(ast.body, { ...context, scope, tail: false });
  const within = (frame: Frame, evaluate: () => Signal): Signal => {
    const label = new Label();
    frame.slots[slot] = label;
    const checkpoint = new Checkpoint(frame.machine);
    let signal: Signal;
    try {
      signal = evaluate();
    } catch (error) {
      // A break that had to leave an expression evaluated directly.
      if (!(error instanceof Stop) || error !== label) throw error;
      frame.machine.caught();
      checkpoint.restore(frame.machine);
      return undefined;
    }
    if (signal !== label) return signal;
    checkpoint.restore(frame.machine);
    return undefined;
  };
  return many(
    (frame, input, emit) => within(frame, () => body.run(frame, input, emit)),
    () => {
      const { paths } = body;
      return (frame, path, value, emit) => within(frame, () => paths(frame, path, value, emit));
    },
  );
}

export function compileBreak(compiler: Compiler, ast: Break, context: Context): Filter {
  const binding = findLabel(context.scope, ast.name);
  if (binding?.kind !== 'label') compiler.fail('undefined-label', `$*label-${ast.name} is not defined`, ast);
  const { slot } = binding;
  const up = climb(hopsBetween(context.layout, binding.layout));
  return many(
    (frame) => up(frame).slots[slot] as Label,
    () => (frame) => up(frame).slots[slot] as Label,
  );
}
