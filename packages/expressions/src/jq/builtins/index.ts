import type { Ast, FunctionDefinition } from '../ast.ts';
import { callFunction, defineFunction } from '../compile-call.ts';
import { Compiler, type FindBuiltin } from '../compiler.ts';
import { type Filter, single } from '../filter.ts';
import { parse } from '../parser.ts';
import { type Context, Layout, type UserFunction } from '../scope.ts';
import { COLLECTIONS } from './collections.ts';
import { CONTROL } from './control.ts';
import { DATES } from './dates.ts';
import type { Builtins } from './define.ts';
import { NUMBERS } from './numbers.ts';
import { PATHS } from './paths.ts';
import { PRELUDE } from './prelude.ts';
import { REGEX } from './regex.ts';
import { STRINGS } from './strings.ts';

let names: string[] | undefined;

const NATIVE: ReadonlyMap<string, Builtins[string]> = new Map(
  Object.entries({
    ...CONTROL,
    ...COLLECTIONS,
    ...STRINGS,
    ...NUMBERS,
    ...PATHS,
    ...REGEX,
    ...DATES,
    'builtins/0': () => single(() => (names ??= builtinNames())),
  }),
);

const prelude = new Map<string, UserFunction>();

/** Every builtin as `name/arity`. */
export function builtinNames(): string[] {
  return [...NATIVE.keys(), ...Object.keys(PRELUDE)];
}

/** Makes the filter of a call of a builtin; null: there is none of that name and number of arguments. */
export const findBuiltin: FindBuiltin = (compiler, name, args, span, context) => {
  const signature = `${name}/${args.length}`;
  const native = NATIVE.get(signature);
  if (native !== undefined) return native(compiler, args, span, context);
  if (!Object.hasOwn(PRELUDE, signature)) return null;
  return callPrelude(compiler, signature, args, context);
};

function callPrelude(compiler: Compiler, signature: string, args: Ast[], context: Context): Filter {
  let fn = prelude.get(signature);
  if (fn === undefined) {
    const source = PRELUDE[signature] ?? '';
    const definition = parse(source).definitions[0] as FunctionDefinition;
    withoutPositions(definition);
    const home = new Layout(null);
    // Its calls come from any program, so it always has frames of its own.
    const context: Context = { scope: null, layout: home, tail: true, subject: null };
    fn = defineFunction(new Compiler(source, findBuiltin), definition, context, true);
    prelude.set(signature, fn);
  }
  return callFunction(compiler, fn, args, context);
}

/** Positions in the prelude mean nothing to a user: errors inside carry none. */
function withoutPositions(node: object): void {
  for (const [key, value] of Object.entries(node)) {
    if (key === 'start' || key === 'end') Object.assign(node, { [key]: -1 });
    else if (typeof value === 'object' && value !== null) withoutPositions(value);
  }
}
