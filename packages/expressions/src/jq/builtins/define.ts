import type { Value } from '../../json.ts';
import type { Ast } from '../ast.ts';
import type { Compiler } from '../compiler.ts';
import type { Span } from '../errors.ts';
import { type Filter, type Frame, many, NOTHING, type One, type Signal, single } from '../filter.ts';
import type { Machine } from '../machine.ts';
import type { Context } from '../scope.ts';

/** Makes the filter of one call of a builtin. */
export type Builtin = (compiler: Compiler, args: Ast[], span: Span, context: Context) => Filter;
/** Name and number of arguments, as in jq's `builtins`: `split/2`. */
export type Builtins = Record<string, Builtin>;

/** A function of its input alone. */
export function ofInput(compute: (machine: Machine, input: Value) => Value): Builtin {
  return (_compiler, _args, span) =>
    single((frame, input) => {
      const { machine } = frame;
      machine.at = span;
      machine.step(1);
      return compute(machine, input);
    });
}

/** A function of its input and the value of one argument: one call per value. */
export function ofOne(compute: (machine: Machine, input: Value, argument: Value) => Value): Builtin {
  return (compiler, args, span, context) => {
    const argument = compiler.inner(args[0] as Ast, context);
    const { one, run } = argument;
    if (one !== null) {
      return single((frame, input) => {
        const value = one(frame, input);
        if (value === NOTHING) return NOTHING;
        const { machine } = frame;
        machine.at = span;
        machine.step(1);
        return compute(machine, input, value);
      });
    }
    return many((frame, input, emit) =>
      run(frame, input, (value) => {
        frame.machine.at = span;
        frame.machine.step(1);
        return emit(compute(frame.machine, input, value));
      }),
    );
  };
}

/**
 * A function of its input and the values of several arguments, one call per combination. jq's C functions vary their
 * first argument fastest (`firstSlowest` false), its `$`-parameters vary the first slowest.
 */
export function ofValues(
  compute: (machine: Machine, input: Value, values: Value[]) => Value,
  firstSlowest = false,
): Builtin {
  return (compiler, args, span, context) => {
    const filters = args.map((arg) => compiler.inner(arg, context));
    const call = (frame: Frame, input: Value, values: Value[]): Value => {
      frame.machine.at = span;
      frame.machine.step(1);
      return compute(frame.machine, input, values);
    };
    const ones = filters.map((filter) => filter.one);
    if (ones.every((one) => one !== null)) {
      return single((frame, input) => {
        const values: Value[] = new Array(ones.length);
        for (let done = 0; done < ones.length; done++) {
          const at = firstSlowest ? done : ones.length - 1 - done;
          const value = (ones[at] as One)(frame, input);
          if (value === NOTHING) return NOTHING;
          values[at] = value;
        }
        return call(frame, input, values);
      });
    }
    return many((frame, input, emit) =>
      combinations(frame, input, filters, firstSlowest, (values) => emit(call(frame, input, values))),
    );
  };
}

export function combinations(
  frame: Frame,
  input: Value,
  filters: Filter[],
  firstSlowest: boolean,
  use: (values: Value[]) => Signal,
): Signal {
  const values: Value[] = new Array(filters.length);
  const next = (done: number): Signal => {
    if (done === filters.length) return use(values.slice());
    const at = firstSlowest ? done : filters.length - 1 - done;
    return (filters[at] as Filter).run(frame, input, (value) => {
      values[at] = value;
      return next(done + 1);
    });
  };
  return next(0);
}

/** A function that evaluates its arguments itself, one entry at a time. */
export function ofFilters(make: (filters: Filter[], span: Span, context: Context) => Filter): Builtin {
  return (compiler, args, span, context) =>
    make(
      args.map((arg) => compiler.inner(arg, context, null)),
      span,
      context,
    );
}

/** The same for functions that enter an argument again while it is still running. */
export function ofClosures(make: (filters: Filter[], span: Span, context: Context) => Filter): Builtin {
  return (compiler, args, span, context) =>
    make(
      args.map((arg) => compiler.closure(arg, context, false)),
      span,
      context,
    );
}
