import { compile, type EvaluateOptions, ExpressionError, type Outcome, type Program } from '../jq/index.ts';
import type { Json } from '../json.ts';
import { LruCache } from '../lru.ts';
import { rewriteQuotedKeys, rewriteQuotes } from './quotes.ts';

/**
 * How single quotes are read. In both, a program that the clients' rewriting makes valid means what it means there.
 * - `documented`: that rewriting and quoted keys (`.a.'b-c'`), nothing else. `.a=='x'` is an error here because it is one
 *   in every client that will run the same text. Templates and mappings use it.
 * - `superset`: whatever is still invalid is tried again with `'…'` as a string wherever a string may stand (spec/catalog.md
 *   §0.3). For programs that only this product runs: dynamic forms, calculation properties, policies.
 */
export type Quotes = 'documented' | 'superset';

export type Compiled = { ok: true; program: Program } | { ok: false; error: ExpressionError };

const cache = new LruCache<Compiled>(2000, 8192);

const QUOTE_HINT =
  'Single quotes only delimit a string when blanks (or the end of the text) surround them; write double quotes.';

/**
 * Compiles an expression as users of the product write it. Never throws for a bad program; successes and failures are
 * kept (2,000 programs of up to 8,192 characters).
 */
export function compileExpression(source: string, quotes: Quotes = 'superset'): Compiled {
  return cache.getOrCreate(`${quotes === 'superset' ? '+' : '-'}${source}`, () => attempt(source, quotes));
}

function attempt(source: string, quotes: Quotes): Compiled {
  if (!source.includes("'")) return tryCompile(source, false);
  const rewritten = rewriteQuotes(source);
  const first = tryCompile(rewritten, false);
  if (first.ok) return first;
  const second =
    quotes === 'superset' ? tryCompile(source, true) : tryCompile(rewriteQuotes(rewriteQuotedKeys(source)), false);
  if (second.ok) return second;
  if (quotes === 'superset') return second;
  // The message of the text as written is about the quote; that of a half rewritten text would be about its consequence.
  const asWritten = tryCompile(source, false);
  const { error } = asWritten.ok ? first : asWritten;
  const explained = new ExpressionError(error.kind, error.code, `${error.message} ${QUOTE_HINT}`, error.position);
  return { ok: false, error: explained };
}

function tryCompile(source: string, singleQuotes: boolean): Compiled {
  try {
    return { ok: true, program: compile(source, { singleQuotes }) };
  } catch (error) {
    if (error instanceof ExpressionError) return { ok: false, error };
    throw error;
  }
}

/** The first output of an expression, `undefined` when it has none, or why it failed. */
export function evaluateOutcome(source: string, input: Json, options?: EvaluateOptions & { quotes?: Quotes }): Outcome {
  const compiled = compileExpression(source, options?.quotes);
  return compiled.ok ? compiled.program.first(input, options) : compiled;
}

/**
 * The product's semantics in one call (spec/catalog.md §0.3): the first output; null when there is none, when the
 * program is not valid, fails or exceeds its budget.
 */
export function evaluate(source: string, input: Json, options?: EvaluateOptions & { quotes?: Quotes }): Json {
  const outcome = evaluateOutcome(source, input, options);
  return outcome.ok ? (outcome.value ?? null) : null;
}
