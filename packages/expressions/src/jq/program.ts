import { type Json, toPlainJson, type Value } from '../json.ts';
import type { ProgramAst } from './ast.ts';
import { findBuiltin } from './builtins/index.ts';
import { Compiler } from './compiler.ts';
import { BudgetExceeded, ExpressionError, JqError, type Position, positionOf, type Span } from './errors.ts';
import { drive, type Filter, Frame, type Signal, STOP, Stop } from './filter.ts';
import { type Budget, DEFAULT_BUDGET, Machine, textSizeOf, type World } from './machine.ts';
import { Linker, type ModuleReader } from './modules.ts';
import { parse } from './parser.ts';
import { Layout, Scope } from './scope.ts';
import { abbreviated, truncated } from './values.ts';

export interface CompileOptions {
  /** Also accept `'…'` as a string. */
  singleQuotes?: boolean;
  /** Names, without `$`, that `EvaluateOptions.variables` will give values to. */
  variables?: string[];
  /** Where `import` and `include` find modules; without it they are refused. */
  modules?: ModuleReader;
  /** How deep the program's text may nest; a level costs JavaScript stack while compiling. Default 300. */
  maxDepth?: number;
}

export interface EvaluateOptions {
  /** Limits that differ from DEFAULT_BUDGET. */
  budget?: Partial<Budget>;
  /** What `env` and `$ENV` answer; empty unless handed in. */
  env?: Readonly<Record<string, string>>;
  variables?: Readonly<Record<string, Json>>;
  /** Milliseconds since the epoch, for `now`. */
  now?: () => number;
  /** Counts up the steps that evaluations used, those of regular expressions included, successful or not. */
  usage?: { steps: number };
}

/** `value` is undefined when the program had no output. */
export type Outcome = { ok: true; value: Json | undefined } | { ok: false; error: ExpressionError };

const NO_ENVIRONMENT: Readonly<Record<string, string>> = Object.freeze({});

/**
 * A compiled program. Stateless: one may be used for any number of evaluations. Evaluation is synchronous, reads its
 * input without changing it, and shares parts of the input with the outputs.
 */
export class Program {
  readonly source: string;
  readonly #filter: Filter;
  readonly #layout: Layout;
  readonly #variables: readonly string[];
  readonly #hasLiterals: boolean;

  constructor(source: string, filter: Filter, layout: Layout, variables: readonly string[], hasLiterals: boolean) {
    this.source = source;
    this.#filter = filter;
    this.#layout = layout;
    this.#variables = variables;
    this.#hasLiterals = hasLiterals;
  }

  /** All outputs. Throws ExpressionError: `runtime` for an error of the program, `budget` for a limit it hit. */
  all(input: Json, options: EvaluateOptions = {}): Json[] {
    const outputs: Json[] = [];
    this.evaluate(input, options, (value, mayHoldLiterals) => {
      outputs.push(mayHoldLiterals ? toPlainJson(value) : (value as Json));
      return true;
    });
    return outputs;
  }

  /** The first output only, which stops the program there: the product's semantics. Never throws. */
  first(input: Json, options: EvaluateOptions = {}): Outcome {
    let value: Json | undefined;
    try {
      this.evaluate(input, options, (output, mayHoldLiterals) => {
        value = mayHoldLiterals ? toPlainJson(output) : (output as Json);
        return false;
      });
    } catch (error) {
      if (error instanceof ExpressionError) return { ok: false, error };
      throw error;
    }
    return { ok: true, value };
  }

  /** Hands out outputs one by one, number literals kept as written, until `take` answers false. */
  evaluate(input: Value, options: EvaluateOptions, take: (value: Value, mayHoldLiterals: boolean) => boolean): void {
    const machine = new Machine({ ...DEFAULT_BUDGET, ...options.budget }, worldOf(options));
    const frame = new Frame(machine, null, this.#layout.size);
    this.#variables.forEach((name, slot) => {
      frame.slots[slot] = options.variables?.[name] ?? null;
    });
    const { outputBytes: limit, outputDepth } = machine.budget;
    let written = 0;
    const mark = machine.temp;
    const emit = (value: Value): Signal => {
      if (typeof value === 'string') written += value.length + 2;
      else if (typeof value === 'object' && value !== null) {
        written += textSizeOf(value, limit - written, outputDepth);
      } else written += 5;
      if (written > limit) throw new BudgetExceeded('outputBytes', limit);
      // What has been handed out stays alive.
      machine.retained += machine.cost(value, machine.temp - mark) + 8;
      machine.step(1);
      return take(value, this.#hasLiterals || machine.hasLiterals) ? undefined : STOP;
    };
    try {
      const { one, run } = this.#filter;
      if (one === null) drive(machine, run(frame, input, emit));
      else {
        const value = one(frame, input);
        if (typeof value !== 'symbol') emit(value);
      }
    } catch (error) {
      throw this.#explained(error, machine);
    } finally {
      if (options.usage !== undefined) options.usage.steps += machine.stepsUsed();
    }
  }

  #explained(error: unknown, machine: Machine): unknown {
    if (error instanceof JqError) return runtimeError(this.source, error, error.span ?? machine.at);
    if (error instanceof BudgetExceeded) return budgetError(error, this.#positionIn(machine.at));
    if (error instanceof RangeError) return stackError(error, machine.depth);
    // A break whose label is gone cannot happen in a compiled program; a Stop here is one that was thrown.
    if (error instanceof Stop) return new ExpressionError('runtime', 'break', 'break');
    return error;
  }

  #positionIn(span: Span | null): Position | undefined {
    return span === null || span.start < 0 ? undefined : positionOf(this.source, span);
  }
}

function worldOf(options: EvaluateOptions): World {
  return {
    env: options.env ?? NO_ENVIRONMENT,
    variables: options.variables ?? {},
    now: options.now ?? Date.now,
  };
}

/**
 * Compiles a program. Throws ExpressionError of kind `syntax` with the position of the mistake, or of kind `budget`
 * when the text nests too deep. Cost: roughly 1 µs per token.
 */
export function compile(source: string, options: CompileOptions = {}): Program {
  try {
    const ast = parse(source, {
      singleQuotes: options.singleQuotes === true,
      ...(options.maxDepth === undefined ? {} : { maxDepth: options.maxDepth }),
    });
    return link(source, ast, options.variables ?? [], options.modules ?? null);
  } catch (error) {
    if (error instanceof BudgetExceeded) throw budgetError(error, undefined);
    if (error instanceof RangeError) throw stackError(error, options.maxDepth ?? 300);
    throw error;
  }
}

function link(source: string, ast: ProgramAst, variables: readonly string[], modules: ModuleReader | null): Program {
  const linker = new Linker(modules, findBuiltin);
  const compiler = new Compiler(source, linker.findBuiltin);
  const layout = new Layout(null);
  let scope: Scope | null = null;
  for (const name of variables) scope = new Scope({ kind: 'variable', name, layout, slot: layout.slot() }, scope);
  scope = linker.scopeOf(source, ast.imports, '', scope);
  const end = { start: source.length, end: source.length };
  const body = compiler.withDefinitions(ast.definitions, ast.body ?? { kind: 'identity', ...end });
  const filter = compiler.compile(body, { scope, layout, tail: true, subject: null });
  return new Program(source, filter, layout, variables, compiler.hasLiterals || ast.imports.length > 0);
}

function runtimeError(source: string, error: JqError, span: Span | null): ExpressionError {
  const { value } = error;
  const position = span === null || span.start < 0 ? undefined : positionOf(source, span);
  let message = typeof value === 'string' ? value : `error of the program: ${truncated(abbreviated(value), 200)}`;
  const hint = hintOf(source, error);
  if (hint !== null) message += `: ${hint}`;
  if (position !== undefined) message += ` (line ${position.line}, column ${position.column})`;
  return new ExpressionError('runtime', error.code, message, position, toPlainJson(value));
}

/** "`.a` is a string here, and an array or an object is needed": which expression had the wrong value. */
function hintOf(source: string, error: JqError): string | null {
  const { subject, need } = error;
  if (need === null) return null;
  const kind = /(?:index|over) (null|boolean|number|string|array|object)/.exec(String(error.value))?.[1];
  if (kind === undefined) return null;
  const text = subject === null || subject.start < 0 ? '' : source.slice(subject.start, subject.end).trim();
  const what = text === '' || text.length > 60 ? 'the value' : `\`${text}\``;
  const article = /^[aeiou]/.test(kind) ? 'an' : 'a';
  return `${what} is ${kind === 'null' ? 'null' : `${article} ${kind}`} here, ${need} is needed`;
}

const BUDGET_HELP: Readonly<Record<string, string>> = {
  steps: 'the program does too much work: look for a loop without an end or over too much data',
  outputBytes: 'the outputs are too large',
  outputDepth: 'an output nests too deep',
  memoryBytes: 'the program builds too large values',
  depth: 'it nests too deep: a recursion without an end, or too deep data',
  regexSteps: 'a regular expression takes too long on this text',
  timeMs: 'the program takes too long',
};

function budgetError(error: BudgetExceeded, position: Position | undefined): ExpressionError {
  const message = `budget exceeded: ${error.budget} (limit ${error.limit}); ${BUDGET_HELP[error.budget]}`;
  return new ExpressionError('budget', error.budget, message, position);
}

/** The JavaScript stack ran out before the depth budget did: the same to the user. */
function stackError(error: RangeError, limit: number): unknown {
  if (/call stack/i.test(error.message)) return budgetError(new BudgetExceeded('depth', limit), undefined);
  if (/string length|array length/i.test(error.message)) {
    return budgetError(new BudgetExceeded('memoryBytes', 0), undefined);
  }
  return error;
}
