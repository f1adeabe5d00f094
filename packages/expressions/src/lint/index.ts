import type { Quotes } from '../evaluate/expression.ts';
import { rewriteQuotedKeys, rewriteQuotes } from '../evaluate/quotes.ts';
import type { ProgramAst } from '../jq/ast.ts';
import { BudgetExceeded, ExpressionError } from '../jq/errors.ts';
import { parse } from '../jq/parser.ts';
import { compile } from '../jq/program.ts';
import { scanTemplate } from '../template/scan.ts';
import { type Diagnostic, type Finding, locate } from './diagnostic.ts';
import { checkProgram } from './rules.ts';
import { explainSyntax } from './syntax-traps.ts';

export { BUILTIN_HELP, type BuiltinHelp, FORMATS } from './builtin-help.ts';
export { type Completion, completeProgram } from './complete.ts';
export type { Diagnostic } from './diagnostic.ts';

export interface LintOptions {
  /** Where the program will run; see `Quotes`. Default: `superset`, with a warning for what other clients cannot read. */
  quotes?: Quotes;
}

/** Longer texts are not analysed: an editor asks on every key. */
const MAX_LENGTH = 100_000;
/** Of one template string; blocks after these are not looked at. */
const MAX_FINDINGS = 100;

/** Everything worth underlining in one expression, in the order it stands. Never throws. */
export function lint(source: string, options: LintOptions = {}): Diagnostic[] {
  return bounded(source, options.quotes ?? 'superset').map((finding) => locate(source, finding));
}

/** The same for a string with `{{ }}` blocks; offsets are those of the whole string. */
export function lintTemplate(text: string): Diagnostic[] {
  const { blocks, mistake } = scanTemplate(text);
  const found: Finding[] = [];
  for (const { source, start } of blocks) {
    if (/^\s*spreadValue\(\)\s*$/.test(source) && blocks.length === 1) continue;
    if (found.length >= MAX_FINDINGS) break;
    for (const finding of bounded(source, 'documented')) {
      found.push({ ...finding, start: finding.start + start, end: finding.end + start });
    }
  }
  if (mistake !== undefined) {
    const hint =
      mistake.code === 'unopened-braces' ? '. Closing braces of an object need a blank before "}}": "} }}"' : '';
    found.push({
      severity: 'error',
      code: mistake.code,
      message: mistake.message + hint,
      start: mistake.start,
      end: mistake.end,
    });
  }
  return found.map((finding) => locate(text, finding));
}

/** A chain of thousands of operators is a tree as deep as it is long, and the JavaScript stack ends first. */
function bounded(source: string, quotes: Quotes): Finding[] {
  try {
    return findings(source, quotes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [
      { severity: 'warning', code: 'too-long', message: 'Too long to be checked here.', start: 0, end: source.length },
    ];
  }
}

type Parsed =
  | { ok: true; program: ProgramAst; text: string; singleQuotes: boolean }
  | { ok: false; error: ExpressionError | BudgetExceeded };

function attempt(source: string, singleQuotes: boolean): Parsed {
  try {
    return { ok: true, program: parse(source, { singleQuotes }), text: source, singleQuotes };
  } catch (error) {
    if (error instanceof ExpressionError || error instanceof BudgetExceeded) return { ok: false, error };
    throw error;
  }
}

function findings(source: string, quotes: Quotes): Finding[] {
  if (source.length > MAX_LENGTH) {
    return [
      { severity: 'warning', code: 'too-long', message: 'Too long to be checked here.', start: 0, end: source.length },
    ];
  }
  if (source.trim() === '') {
    return [
      {
        severity: 'warning',
        code: 'empty',
        message: 'An empty expression gives its input.',
        start: 0,
        end: source.length,
      },
    ];
  }
  const found: Finding[] = [];
  // The texts differ from what was written in single characters only, so positions stay true.
  const rewritten = rewriteQuotes(source);
  let parsed = attempt(rewritten, false);
  if (!parsed.ok && source.includes("'")) {
    const withKeys = attempt(rewriteQuotes(rewriteQuotedKeys(source)), false);
    const asStrings = withKeys.ok ? withKeys : attempt(source, true);
    if (!withKeys.ok && asStrings.ok) found.push(quoteTrap(source, quotes));
    // When neither reading is valid, the mistake is somewhere else; the reading with strings finds it best.
    parsed = asStrings;
  }
  if (parsed.ok) {
    const { body, definitions } = parsed.program;
    if (body !== null) found.push(...checkProgram(body, definitions, source));
    // What only the compiler knows (variables, labels, refused builtins); it stops at its first error.
    if (!found.some(({ severity }) => severity === 'error'))
      found.push(...compileErrors(parsed.text, parsed.singleQuotes));
  } else found.push(explainSyntax(source, parsed.error));
  return found.sort((left, right) => left.start - right.start);
}

function compileErrors(text: string, singleQuotes: boolean): Finding[] {
  try {
    compile(text, { singleQuotes });
    return [];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { start, end } = error.position ?? { start: 0, end: text.length };
    return [{ severity: 'error', code: error.code, message: error.message, start, end }];
  }
}

/** Points at the first single quote that the clients' rewriting leaves alone. */
function quoteTrap(source: string, quotes: Quotes): Finding {
  const rewritten = rewriteQuotes(source);
  let start = source.indexOf("'");
  for (let index = start; index >= 0; index = source.indexOf("'", index + 1)) {
    if (rewritten[index] !== "'") continue;
    start = index;
    break;
  }
  const close = source.indexOf("'", start + 1);
  const consequence = quotes === 'documented' ? 'this gives null' : 'other clients of the same text get null';
  return {
    severity: quotes === 'documented' ? 'error' : 'warning',
    code: 'single-quote',
    message: `Single quotes only delimit a text when blanks surround them; ${consequence}. Write double quotes.`,
    start,
    end: close < 0 ? start + 1 : close + 1,
  };
}
