import { BudgetExceeded, type ExpressionError } from '../jq/errors.ts';
import type { Finding } from './diagnostic.ts';

interface Trap {
  code: string;
  message: string;
  /** What stands at the place of the error, or right before it. */
  at?: RegExp;
  before?: RegExp;
}

/** Habits from other languages, recognised by what stands where parsing stopped. */
const TRAPS: readonly Trap[] = [
  {
    code: 'array-index',
    at: /^\.\d/,
    before: /[\w\])]$/,
    message: 'An index is written in brackets: .items[0].name, not .items.0.name.',
  },
  { code: 'foreign-operator', at: /^&/, message: 'jq writes "and" for &&.' },
  {
    code: 'foreign-operator',
    at: /^\|/,
    before: /\|\s*$/,
    message: 'jq writes "or" for ||, and // for a default value.',
  },
  { code: 'foreign-operator', at: /^=/, before: /[=!]=$/, message: 'jq compares with == and !=; there is no ===.' },
  { code: 'foreign-operator', at: /^~/, message: 'jq matches with test("regex").' },
  { code: 'foreign-operator', at: /^!/, message: 'jq negates with "| not" and compares with !=.' },
  {
    code: 'else-if',
    at: /^(?:$|\))/,
    before: /\belse\s+if\b[\s\S]*\bend\s*$/,
    message: 'Write elif, or close both ifs with an end each.',
  },
  { code: 'ternary', at: /^[^|,)]/, before: /\?\s[^?]*$/, message: 'jq has no ?:; write if … then … else … end.' },
  {
    code: 'method-call',
    at: /^\(/,
    before: /\.[A-Za-z_]\w*\s*$/,
    message: 'jq has no methods: pipe into the function, as in .name | length.',
  },
  {
    code: 'dashed-key',
    at: /^(?:$|[-\w])/,
    before: /\.[A-Za-z_]\w*-$/,
    message: 'A key with a dash needs quotes: ."my-key".',
  },
];

/** A syntax error as a finding: the engine's words, or better ones where the mistake is a well-known one. */
export function explainSyntax(source: string, error: ExpressionError | BudgetExceeded): Finding {
  if (error instanceof BudgetExceeded) {
    return {
      severity: 'error',
      code: 'too-deep',
      message: 'Nested too deep to be read.',
      start: 0,
      end: source.length,
    };
  }
  const unclosed = findUnclosed(source);
  const atEnd = (error.position?.start ?? source.length) >= source.trimEnd().length;
  if (unclosed !== undefined && (atEnd || unclosed.char === '"')) {
    const [kind, code] = unclosed.char === '"' ? ['quote', 'unbalanced-quotes'] : ['bracket', 'unbalanced-braces'];
    const message = `This ${kind} is never closed.`;
    return { severity: 'error', code, message, start: unclosed.at, end: unclosed.at + 1 };
  }
  const start = error.position?.start ?? source.length;
  // At the very end there is nothing to underline but what stands last.
  const from = start >= source.length ? Math.max(0, source.trimEnd().length - 1) : start;
  const end = Math.max(error.position?.end ?? start, Math.min(from + 1, source.length));
  // The patterns look around a place; on a whole hostile text some of them would be quadratic.
  const rest = source.slice(start, start + 100);
  const before = source.slice(Math.max(0, start - 500), start);
  const trap = TRAPS.find(({ at, before: earlier }) => (at?.test(rest) ?? true) && (earlier?.test(before) ?? true));
  const code = trap?.code ?? (error.code === 'unbalanced' ? 'unbalanced-braces' : error.code);
  const message = trap === undefined ? error.message : `${trap.message} (${error.message})`;
  return { severity: 'error', code, message, start: from, end };
}

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** The innermost bracket or quote that is still open at the end. Knows strings, interpolations and comments. */
function findUnclosed(source: string): { char: string; at: number } | undefined {
  const open: { char: string; at: number }[] = [];
  for (let at = 0; at < source.length; at++) {
    const char = source[at] ?? '';
    const inString = open.at(-1)?.char === '"';
    if (inString) {
      if (char === '"') open.pop();
      else if (char === '\\') {
        at++;
        if (source[at] === '(') open.push({ char: '(', at });
      }
    } else if (char === '#') {
      while (at < source.length && source[at] !== '\n') at++;
    } else if (char === '"' || char === '(' || char === '[' || char === '{') open.push({ char, at });
    else if (CLOSES[char] !== undefined) {
      // Closing what was not opened is another mistake.
      if (open.at(-1)?.char !== CLOSES[char]) return undefined;
      open.pop();
    }
  }
  return open.at(-1);
}
