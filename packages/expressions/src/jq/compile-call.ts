import type { Value } from '../json.ts';
import type { Ast, Call, Define, FunctionDefinition } from './ast.ts';
import type { Compiler } from './compiler.ts';
import {
  Closure,
  drive,
  type Emit,
  type Filter,
  Frame,
  many,
  NOTHING,
  PendingCall,
  type Signal,
  single,
  TAIL,
} from './filter.ts';
import { ParameterFilter } from './parameter.ts';
import type { Path } from './path.ts';
import { bindsSlots, type Context, climb, findFunction, hopsBetween, Layout, Scope, UserFunction } from './scope.ts';

/** Beyond this nesting of recursive functions none is compiled twice, or compile time would double with each. */
const MAX_SECOND_COMPILATIONS = 4;

export function compileDefine(compiler: Compiler, ast: Define, context: Context): Filter {
  const fn = defineFunction(compiler, ast.function, context);
  const scope = new Scope({ kind: 'function', name: ast.function.name, function: fn }, context.scope);
  return compiler.compile(ast.rest, { ...context, scope });
}

/**
 * Compiles a definition. Recursive calls are first compiled as if the function had at most one output; if its body
 * then turns out to have more, it is compiled again without that assumption.
 */
export function defineFunction(
  compiler: Compiler,
  definition: FunctionDefinition,
  context: Context,
  alwaysOwn = false,
): UserFunction {
  const own = alwaysOwn || definition.params.length > 0 || bindsSlots(definition.body);
  const layout = own ? new Layout(context.layout) : context.layout;
  const fn = new UserFunction(definition, context.layout, layout);
  let scope = new Scope({ kind: 'function', name: definition.name, function: fn }, context.scope);
  for (const param of definition.params) {
    const closure = layout.slot();
    const value = param.isValue ? layout.slot() : null;
    fn.slots.push({ closure, value });
    scope = new Scope({ kind: 'parameter', name: param.name, layout, slot: closure }, scope);
    if (value !== null) scope = new Scope({ kind: 'variable', name: param.name, layout, slot: value }, scope);
  }
  const inside: Context = { scope, layout, tail: true, subject: null };
  fn.assumeOne = compiler.recursionDepth < MAX_SECOND_COMPILATIONS;
  compiler.recursionDepth++;
  let body = compiler.compile(definition.body, inside);
  if (fn.assumptionUsed && body.one === null) {
    fn.assumeOne = false;
    body = compiler.compile(definition.body, inside);
  }
  compiler.recursionDepth--;
  fn.body = body;
  return fn;
}

export function compileCall(compiler: Compiler, ast: Call, context: Context): Filter {
  const binding = findFunction(context.scope, ast.name, ast.args.length);
  if (binding?.kind === 'parameter') {
    return new ParameterFilter(hopsBetween(context.layout, binding.layout), binding.slot, context.tail);
  }
  if (binding?.kind === 'function') return callFunction(compiler, binding.function, ast.args, context);
  const builtin = compiler.findBuiltin(compiler, ast.name, ast.args, ast, context);
  if (builtin !== null) return builtin;
  compiler.fail('undefined-function', `${ast.name}/${ast.args.length} is not defined`, ast);
}

interface Argument {
  closure: (frame: Frame) => Closure;
  closureSlot: number;
  valueSlot: number | null;
}

/** A parameter handed on as it is stays the same closure, so recursion does not build chains of them. */
function compileArgument(compiler: Compiler, ast: Ast, context: Context): (frame: Frame) => Closure {
  if (ast.kind === 'call' && ast.args.length === 0) {
    const binding = findFunction(context.scope, ast.name, 0);
    if (binding?.kind === 'parameter') {
      return new ParameterFilter(hopsBetween(context.layout, binding.layout), binding.slot, true).resolve;
    }
  }
  const filter = compiler.closure(ast, context, true);
  return (frame) => new Closure(filter, frame);
}

export function callFunction(compiler: Compiler, fn: UserFunction, args: Ast[], context: Context): Filter {
  const compiled: Argument[] = args.map((arg, at) => {
    const slots = fn.slots[at] as { closure: number; value: number | null };
    return { closure: compileArgument(compiler, arg, context), closureSlot: slots.closure, valueSlot: slots.value };
  });
  const up = climb(hopsBetween(context.layout, fn.home));
  const own = fn.layout !== fn.home;
  const enter = (frame: Frame): Frame => {
    frame.machine.step(1 + compiled.length);
    const parent = up(frame);
    if (!own) return parent;
    const callee = new Frame(frame.machine, parent, fn.layout.size);
    for (const argument of compiled) callee.slots[argument.closureSlot] = argument.closure(frame);
    return callee;
  };
  const values = compiled.filter((argument) => argument.valueSlot !== null);
  const recursive = fn.body === null;
  return values.length === 0
    ? plainCall(fn, enter, recursive, context.tail)
    : callWithValues(fn, enter, values, recursive, context.tail);
}

/** A call all of whose parameters are closures. */
function plainCall(fn: UserFunction, enter: (frame: Frame) => Frame, recursive: boolean, tail: boolean): Filter {
  const paths =
    () =>
    (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal => {
      const { machine } = frame;
      machine.enter();
      const signal = (fn.body as Filter).paths(enter(frame), path, value, emit);
      machine.depth--;
      return signal;
    };
  if (!recursive) {
    const { one, run } = fn.body as Filter;
    if (one !== null) return single((frame, input) => one(enter(frame), input), paths);
    if (tail) return many((frame, input, emit) => run(enter(frame), input, emit), paths);
    return many((frame, input, emit) => drive(frame.machine, run(enter(frame), input, emit)), paths);
  }
  if (tail) {
    return many((frame, input, emit) => {
      frame.machine.tail = new PendingCall(fn.body as Filter, enter(frame), input, emit);
      return TAIL;
    }, paths);
  }
  const run = (frame: Frame, input: Value, emit: Emit): Signal => {
    const { machine } = frame;
    machine.enter();
    const signal = drive(machine, (fn.body as Filter).run(enter(frame), input, emit));
    machine.depth--;
    return signal;
  };
  if (!fn.assumeOne) return many(run, paths);
  fn.assumptionUsed = true;
  return single((frame, input) => {
    const { machine } = frame;
    machine.enter();
    const value = (fn.body as Filter).one?.(enter(frame), input) ?? NOTHING;
    machine.depth--;
    return value;
  }, paths);
}

/** A call with `$`-parameters: one call for each combination of their values, the first varying slowest. */
function callWithValues(
  fn: UserFunction,
  enter: (frame: Frame) => Frame,
  values: Argument[],
  recursive: boolean,
  tail: boolean,
): Filter {
  const combinations = (frame: Frame, input: Value, call: (callee: Frame) => Signal): Signal => {
    const chosen: Value[] = [];
    const next = (at: number): Signal => {
      const argument = values[at];
      if (argument === undefined) {
        const callee = enter(frame);
        values.forEach((value, index) => {
          callee.slots[value.valueSlot as number] = chosen[index] as Value;
        });
        return call(callee);
      }
      const closure = argument.closure(frame);
      const { one } = closure.filter;
      if (one !== null) {
        const value = one(closure.frame, input);
        if (value === NOTHING) return undefined;
        chosen[at] = value;
        return next(at + 1);
      }
      const signal = closure.filter.run(closure.frame, input, (value) => {
        chosen[at] = value;
        return drive(frame.machine, next(at + 1));
      });
      return drive(frame.machine, signal);
    };
    return next(0);
  };
  const paths =
    () =>
    (frame: Frame, path: Path, value: Value, emit: (path: Path, value: Value) => Signal): Signal =>
      combinations(frame, value, (callee) => {
        frame.machine.enter();
        const signal = (fn.body as Filter).paths(callee, path, value, emit);
        frame.machine.depth--;
        return signal;
      });
  if (tail && recursive) {
    return many(
      (frame, input, emit) =>
        combinations(frame, input, (callee) => {
          frame.machine.tail = new PendingCall(fn.body as Filter, callee, input, emit);
          return TAIL;
        }),
      paths,
    );
  }
  return many(
    (frame, input, emit) =>
      combinations(frame, input, (callee) => {
        const { machine } = frame;
        const { run } = fn.body as Filter;
        if (tail) return run(callee, input, emit);
        machine.enter();
        const signal = drive(machine, run(callee, input, emit));
        machine.depth--;
        return signal;
      }),
    paths,
  );
}
