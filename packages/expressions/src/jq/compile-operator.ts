import type { Value } from '../json.ts';
import { OPERATIONS, type Operation } from './arithmetic.ts';
import type { Alternative, Binary, Comma, Logical, Negate, Pipe } from './ast.ts';
import type { Compiler } from './compiler.ts';
import type { Span } from './errors.ts';
import { drive, type Emit, type Filter, type Frame, many, NOTHING, type Signal, single } from './filter.ts';
import { ParameterFilter } from './parameter.ts';
import type { Path } from './path.ts';
import type { Context } from './scope.ts';
import { isTruthy, negate } from './values.ts';

export function compilePipe(compiler: Compiler, ast: Pipe, context: Context): Filter {
  const left = compiler.inner(ast.left, context);
  const right = compiler.compile(ast.right, { ...context, subject: ast.left });
  return pipe(left, right);
}

export function pipe(left: Filter, right: Filter): Filter {
  const { one: leftOne, run: leftRun } = left;
  const { one: rightOne, run: rightRun } = right;
  const paths = () => {
    const { paths: leftPaths } = left;
    const { paths: rightPaths } = right;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      leftPaths(frame, path, value, (at, inner) => drive(frame.machine, rightPaths(frame, at, inner, emit)));
  };
  if (leftOne !== null) {
    if (rightOne !== null) {
      return single((frame, input) => {
        const value = leftOne(frame, input);
        return value === NOTHING ? NOTHING : rightOne(frame, value);
      }, paths);
    }
    return many((frame, input, emit) => {
      const value = leftOne(frame, input);
      return value === NOTHING ? undefined : rightRun(frame, value, emit);
    }, paths);
  }
  const general = (frame: Frame, input: Value, emit: Emit): Signal =>
    leftRun(frame, input, (value) => drive(frame.machine, rightRun(frame, value, emit)));
  if (!(left instanceof ParameterFilter)) return many(general, paths);
  // What an argument computes is known only now: with one output, the right side is still in tail position.
  return many((frame, input, emit) => {
    const closure = left.resolve(frame);
    const { one } = closure.filter;
    if (one === null) return general(frame, input, emit);
    const value = one(closure.frame, input);
    return value === NOTHING ? undefined : rightRun(frame, value, emit);
  }, paths);
}

export function compileComma(compiler: Compiler, ast: Comma, context: Context): Filter {
  const left = compiler.inner(ast.left, context);
  const right = compiler.compile(ast.right, context);
  const { run: leftRun } = left;
  const { run: rightRun } = right;
  return many(
    (frame, input, emit) => {
      const signal = leftRun(frame, input, emit);
      return signal === undefined ? rightRun(frame, input, emit) : signal;
    },
    () => {
      const { paths: leftPaths } = left;
      const { paths: rightPaths } = right;
      return (frame, path, value, emit) => leftPaths(frame, path, value, emit) ?? rightPaths(frame, path, value, emit);
    },
  );
}

export function compileNegate(compiler: Compiler, ast: Negate, context: Context): Filter {
  const operand = compiler.inner(ast.operand, context);
  const apply = (frame: Frame, value: Value): Value => {
    frame.machine.at = ast;
    return negate(value);
  };
  const { one, run } = operand;
  if (one !== null) {
    return single((frame, input) => {
      const value = one(frame, input);
      return value === NOTHING ? NOTHING : apply(frame, value);
    });
  }
  return many((frame, input, emit) => run(frame, input, (value) => emit(apply(frame, value))));
}

export function compileBinary(compiler: Compiler, ast: Binary, context: Context): Filter {
  const left = compiler.inner(ast.left, context);
  const right = compiler.inner(ast.right, context);
  return binary(left, right, OPERATIONS[ast.operator], ast);
}

/** jq evaluates the right operand first and goes through all of the left operand's values for each of its values. */
function binary(left: Filter, right: Filter, operation: Operation, span: Span): Filter {
  const { one: leftOne, run: leftRun } = left;
  const { one: rightOne, run: rightRun } = right;
  if (leftOne !== null && rightOne !== null) {
    return single((frame, input) => {
      const b = rightOne(frame, input);
      if (b === NOTHING) return NOTHING;
      const a = leftOne(frame, input);
      if (a === NOTHING) return NOTHING;
      const { machine } = frame;
      machine.at = span;
      return operation(machine, a, b);
    });
  }
  return many((frame, input, emit) =>
    rightRun(frame, input, (b) =>
      leftRun(frame, input, (a) => {
        frame.machine.at = span;
        return emit(operation(frame.machine, a, b));
      }),
    ),
  );
}

export function compileLogical(compiler: Compiler, ast: Logical, context: Context): Filter {
  const { one: leftOne, run: leftRun } = compiler.inner(ast.left, context);
  const { one: rightOne, run: rightRun } = compiler.inner(ast.right, context);
  const decides = ast.operator === 'or';
  if (leftOne !== null && rightOne !== null) {
    return single((frame, input) => {
      const a = leftOne(frame, input);
      if (a === NOTHING) return NOTHING;
      if (isTruthy(a) === decides) return decides;
      const b = rightOne(frame, input);
      return b === NOTHING ? NOTHING : isTruthy(b);
    });
  }
  return many((frame, input, emit) =>
    leftRun(frame, input, (a) =>
      isTruthy(a) === decides ? emit(decides) : rightRun(frame, input, (b) => emit(isTruthy(b))),
    ),
  );
}

export function compileAlternative(compiler: Compiler, ast: Alternative, context: Context): Filter {
  const left = compiler.inner(ast.left, context);
  const right = compiler.compile(ast.right, context);
  const { one: leftOne, run: leftRun } = left;
  const { one: rightOne, run: rightRun } = right;
  const paths = () => {
    const { paths: leftPaths } = left;
    const { paths: rightPaths } = right;
    return (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal => {
      let found = false;
      const signal = leftPaths(frame, path, value, (at, inner) => {
        if (!isTruthy(inner)) return undefined;
        found = true;
        return emit(at, inner);
      });
      return signal !== undefined || found ? signal : rightPaths(frame, path, value, emit);
    };
  };
  if (leftOne !== null && rightOne !== null) {
    return single((frame, input) => {
      const value = leftOne(frame, input);
      return value !== NOTHING && isTruthy(value) ? value : rightOne(frame, input);
    }, paths);
  }
  return many((frame, input, emit) => {
    let found = false;
    const signal = leftRun(frame, input, (value) => {
      if (!isTruthy(value)) return undefined;
      found = true;
      return emit(value);
    });
    return signal !== undefined || found ? signal : rightRun(frame, input, emit);
  }, paths);
}
