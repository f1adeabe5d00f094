import type { Value } from '../json.ts';
import { OPERATIONS } from './arithmetic.ts';
import type { Assign, BinaryOperator } from './ast.ts';
import { collectPaths } from './compile-binding.ts';
import type { Compiler } from './compiler.ts';
import { type Emit, type Filter, type Frame, many, NOTHING, type Signal, STOP, single } from './filter.ts';
import { Gauge } from './machine.ts';
import { deletePaths, getPath, type Path, type PathStep, pathToArray, setPath, updatePath } from './path.ts';
import type { Context } from './scope.ts';
import { isTruthy } from './values.ts';

export function compileAssign(compiler: Compiler, ast: Assign, context: Context): Filter {
  const target = compiler.inner(ast.left, context);
  const value = compiler.inner(ast.right, context, ast.operator === '|=' ? ast.left : context.subject);
  const noted = (change: (frame: Frame, input: Value) => Value) => (frame: Frame, input: Value) => {
    frame.machine.at = ast;
    return change(frame, input);
  };
  if (ast.operator === '|=') return single(noted((frame, input) => modify(frame, target, input, firstOf(value))));
  return perValue(value, (frame, input, operand) => {
    frame.machine.at = ast;
    switch (ast.operator) {
      case '=':
        return assignAll(frame, target, input, operand);
      case '//=':
        return modify(frame, target, input, (_frame, old) => (isTruthy(old) ? old : operand));
      default: {
        const operation = OPERATIONS[ast.operator.slice(0, -1) as BinaryOperator];
        return modify(frame, target, input, (_frame, old) => {
          frame.machine.at = ast;
          return operation(frame.machine, old, operand);
        });
      }
    }
  });
}

/** One result per value of the right-hand side, which is evaluated on the whole input. */
function perValue(value: Filter, assign: (frame: Frame, input: Value, operand: Value) => Value): Filter {
  const { one, run } = value;
  if (one === null)
    return many((frame, input, emit) => run(frame, input, (operand) => emit(assign(frame, input, operand))));
  return single((frame, input) => {
    const operand = one(frame, input);
    return operand === NOTHING ? NOTHING : assign(frame, input, operand);
  });
}

/** What an update computes from the old value; NOTHING deletes the path. */
export type Change = (frame: Frame, old: Value) => Value | typeof NOTHING;

export function firstOf(filter: Filter): Change {
  const { one, run } = filter;
  if (one !== null) return one;
  return (frame, input) => {
    let first: Value | typeof NOTHING = NOTHING;
    const take: Emit = (value) => {
      first = value;
      return STOP;
    };
    const signal = run(frame, input, take);
    if (signal !== undefined && signal !== STOP) throw signal;
    return first;
  };
}

function assignAll(frame: Frame, target: Filter, input: Value, operand: Value): Value {
  return overPaths(frame, target, input, (result, path) => setPath(frame.machine, result, path, operand));
}

/** `target |= change`: later paths see the results of earlier ones, deletions happen together at the end. */
export function modify(frame: Frame, target: Filter, input: Value, change: Change): Value {
  const deleted: Value[] = [];
  const { machine } = frame;
  const result = overPaths(frame, target, input, (value, path) => {
    const changed = change(frame, getPath(machine, value, path));
    if (changed === NOTHING) {
      deleted.push(path);
      return value;
    }
    return updatePath(machine, value, path, () => changed);
  });
  return deleted.length === 0 ? result : deletePaths(machine, result, deleted);
}

/** Folds over the paths of a target, all of them found in the original input. */
function overPaths(frame: Frame, target: Filter, input: Value, fold: (value: Value, path: Value[]) => Value): Value {
  const { machine } = frame;
  let result = input;
  let held = 0;
  const gauge = new Gauge();
  const signal: Signal = collectPaths(frame, target, input, (path: Path) => {
    const mark = machine.temp;
    machine.step(3);
    result = fold(result, pathToArray(path as PathStep | null));
    const cost = gauge.settle(result, held + machine.temp - mark);
    machine.retained += cost - held;
    held = cost;
    machine.temp = mark;
    return undefined;
  });
  machine.retained -= held;
  machine.temp += held;
  if (signal !== undefined) throw signal;
  return result;
}
