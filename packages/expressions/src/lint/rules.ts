import type { Ast, FunctionDefinition, If } from '../jq/ast.ts';
import { childrenOf } from '../jq/scope.ts';
import { BUILTIN_HELP } from './builtin-help.ts';
import type { Finding } from './diagnostic.ts';
import { checkRegex } from './regex-rule.ts';
import { nearest } from './suggest.ts';

const BUILTINS: ReadonlyMap<string, readonly number[]> = arities(BUILTIN_HELP);

function arities(functions: readonly { name: string; arity: number }[]): Map<string, number[]> {
  const map = new Map<string, number[]>();
  for (const { name, arity } of functions) map.set(name, [...(map.get(name) ?? []), arity]);
  return map;
}

/** The functions that are visible at a place, the innermost first; a list that only grows at its head. */
interface Visible {
  name: string;
  arity: number;
  outer: Visible | undefined;
}

/** Calls whose arguments (by position) decide something, so that `=` in them is nearly always meant as `==`. */
const CONDITIONS: Readonly<Record<string, number>> = { select: 0, any: -1, all: -1, until: 0, while: 0 };

/** Builtins of jq that have no meaning without a stream of inputs. */
const REFUSED: ReadonlySet<string> = new Set(['input', 'inputs']);

/** Nobody reads more of one expression, and each costs a search for suggestions. */
const MAX_FINDINGS = 100;

/** Runs every rule over a parsed program. `source` is the text the tree's positions refer to. */
export function checkProgram(ast: Ast, definitions: readonly FunctionDefinition[], source: string): Finding[] {
  const checker = new Checker(source);
  checker.program(ast, definitions);
  return checker.findings;
}

class Checker {
  readonly findings: Finding[] = [];
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  program(ast: Ast, definitions: readonly FunctionDefinition[]): void {
    let visible: Visible | undefined;
    for (const definition of definitions) visible = this.definition(definition, visible);
    this.visit(ast, visible);
  }

  private report(
    severity: Finding['severity'],
    code: string,
    message: string,
    at: { start: number; end: number },
  ): void {
    this.findings.push({ severity, code, message, start: at.start, end: at.end });
  }

  /** Checks a body, in which the function itself and its parameters are visible; answers what is visible after it. */
  private definition(definition: FunctionDefinition, outer: Visible | undefined): Visible {
    const after: Visible = { name: definition.name, arity: definition.params.length, outer };
    let inside = after;
    for (const param of definition.params) inside = { name: param.name.replace(/^\$/, ''), arity: 0, outer: inside };
    this.visit(definition.body, inside);
    return after;
  }

  private visit(ast: Ast, visible: Visible | undefined): void {
    if (ast.kind === 'define') {
      this.visit(ast.rest, this.definition(ast.function, visible));
      return;
    }
    if (ast.kind === 'call') this.call(ast, visible);
    if (ast.kind === 'if') this.branches(ast);
    if (ast.kind === 'logical') for (const side of [ast.left, ast.right]) this.condition(side);
    if (ast.kind === 'alternative' && isAlwaysTrue(ast.left)) {
      this.report(
        'warning',
        'unreachable-alternative',
        'The left side always has a value, so this is never used.',
        ast.right,
      );
    }
    for (const child of childrenOf(ast)) this.visit(child, visible);
  }

  private call(ast: Ast & { kind: 'call' }, visible: Visible | undefined): void {
    const { name, args } = ast;
    const position = CONDITIONS[name];
    args.forEach((arg, index) => {
      if (position === index || (position === -1 && index === args.length - 1)) this.condition(arg);
    });
    if (REFUSED.has(name) && args.length === 0) {
      this.report('error', 'refused', `${name} is refused here: an expression has one input, which is ".".`, ast);
    }
    const regex = checkRegex(ast);
    if (regex !== undefined) this.report(regex.severity, regex.code, regex.message, regex);
    if (name.startsWith('_') || name.includes('::')) return;
    const known: number[] = [...(BUILTINS.get(name) ?? [])];
    for (let scope = visible; scope !== undefined; scope = scope.outer)
      if (scope.name === name) known.push(scope.arity);
    if (known.includes(args.length) || this.findings.length >= MAX_FINDINGS) return;
    const span = { start: ast.start, end: Math.min(ast.end, ast.start + name.length) };
    if (known.length > 0) {
      const counts = [...new Set(known)].sort((left, right) => left - right);
      const plural = counts.length === 1 && counts[0] === 1 ? 'argument' : 'arguments';
      const hint = args.length > 0 && args.length < Math.max(...counts) ? ' Arguments are separated with ";".' : '';
      const message = `${name} takes ${counts.join(' or ')} ${plural}, not ${args.length}.${hint}`;
      this.report('error', 'wrong-argument-count', message, span);
      return;
    }
    const before = this.source.slice(Math.max(0, ast.start - 100), ast.start);
    const dashed = /\.([A-Za-z_]\w*(?:-\w+)*)-$/.exec(before);
    if (dashed !== null && args.length === 0) {
      const start = ast.start - dashed[0].length;
      // `.a-b-c` is one key to the user and two unknown functions to jq.
      if (this.findings.some((finding) => finding.code === 'dashed-key' && finding.start === start)) return;
      const rest = /^(?:-[A-Za-z_]\w*)*/.exec(this.source.slice(span.end, span.end + 100))?.[0] ?? '';
      const message = `A key with a dash needs quotes: ."${dashed[1]}-${name}${rest}".`;
      this.report('error', 'dashed-key', message, { start, end: span.end + rest.length });
      return;
    }
    const names = new Set(BUILTINS.keys());
    for (let scope = visible; scope !== undefined; scope = scope.outer) names.add(scope.name);
    const suggestion = nearest(name, names);
    const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
    const field = args.length === 0 ? ` A field is written .${name}, a text "${name}".` : '';
    this.report('error', 'unknown-function', `There is no function ${name}/${args.length}.${hint || field}`, span);
  }

  /** `=` in a condition sets instead of comparing. */
  private condition(ast: Ast): void {
    if (ast.kind === 'assign' && ast.operator === '=') {
      this.report(
        'warning',
        'assignment-in-condition',
        'A single = sets the value, which is always true here; compare with ==.',
        ast,
      );
    }
  }

  private branches(ast: If): void {
    this.condition(ast.condition);
    if (isAlwaysTrue(ast.condition) && ast.otherwise !== null) {
      this.report(
        'warning',
        'unreachable-else',
        'The condition is always true, so the else branch is never used.',
        ast.otherwise,
      );
    }
    if (isAlwaysFalse(ast.condition)) {
      this.report(
        'warning',
        'unreachable-then',
        'The condition is always false, so this branch is never used.',
        ast.then,
      );
    }
    const text = this.textOf(ast.condition);
    for (let next = ast.otherwise; next !== null && next.kind === 'if'; next = next.otherwise) {
      if (this.textOf(next.condition) === text && isPure(next.condition)) {
        this.report(
          'warning',
          'unreachable-else',
          'This condition was already tested above, so this branch is never used.',
          next.then,
        );
        return;
      }
    }
  }

  private textOf(ast: Ast): string {
    return this.source.slice(ast.start, ast.end).replace(/\s+/g, ' ');
  }
}

function isAlwaysTrue(ast: Ast): boolean {
  if (ast.kind === 'literal') return ast.value !== null && ast.value !== false;
  if (ast.kind === 'call') return ast.name === 'true' && ast.args.length === 0;
  return ast.kind === 'array' || (ast.kind === 'object' && ast.entries.length === 0);
}

function isAlwaysFalse(ast: Ast): boolean {
  if (ast.kind === 'literal') return ast.value === null || ast.value === false;
  return ast.kind === 'call' && ast.args.length === 0 && (ast.name === 'false' || ast.name === 'null');
}

/** Whether evaluating twice surely gives the same: `now`, `input` and definitions are not looked into. */
function isPure(ast: Ast): boolean {
  if (ast.kind === 'call' && !BUILTINS.has(ast.name)) return false;
  if (ast.kind === 'call' && (ast.name === 'now' || ast.name === 'input')) return false;
  return ast.kind !== 'define' && childrenOf(ast).every(isPure);
}
