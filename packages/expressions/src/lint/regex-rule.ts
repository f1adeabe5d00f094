import type { Ast } from '../jq/ast.ts';
import { constantOf } from '../jq/parser.ts';
import { compileRegex, RegexError } from '../regex/index.ts';
import type { Finding } from './diagnostic.ts';

/** Where the pattern and the flags stand among the arguments, by `name/arity`. */
const REGEX_ARGUMENTS: Readonly<Record<string, readonly [pattern: number, flags?: number]>> = {
  'test/1': [0],
  'test/2': [0, 1],
  'match/1': [0],
  'match/2': [0, 1],
  'capture/1': [0],
  'capture/2': [0, 1],
  'scan/1': [0],
  'scan/2': [0, 1],
  'split/2': [0, 1],
  'splits/1': [0],
  'splits/2': [0, 1],
  'sub/2': [0],
  'sub/3': [0, 2],
  'gsub/2': [0],
  'gsub/3': [0, 2],
};

/** What other flavours write and jq's reads as plain characters. */
const FOREIGN_SYNTAX: readonly { pattern: RegExp; message: string }[] = [
  { pattern: /\\h/, message: 'In jq \\h is the letter h; write [0-9a-fA-F].' },
  { pattern: /\(\?P</, message: 'A named group is written (?<name>…).' },
  { pattern: /\\u[0-9a-fA-F]{4}/, message: 'In jq \\u is the letter u; write \\x{…}.' },
  { pattern: /\{,\d+\}/, message: 'Write the lower bound: {0,n}.' },
];

const UNBOUNDED = { step: (): void => {} };

/** Checks a pattern that is written out in the program. Patterns are at most as long as the program, so this is bounded. */
export function checkRegex(ast: Ast & { kind: 'call' }): Finding | undefined {
  const places = REGEX_ARGUMENTS[`${ast.name}/${ast.args.length}`];
  const argument = places === undefined ? undefined : ast.args[places[0]];
  if (places === undefined || argument === undefined) return undefined;
  const pattern = constantOf(argument);
  if (typeof pattern !== 'string') return undefined;
  const flagsArgument = places[1] === undefined ? undefined : ast.args[places[1]];
  const flags = flagsArgument === undefined ? '' : constantOf(flagsArgument);
  const { start, end } = argument;
  try {
    compileRegex(pattern, typeof flags === 'string' ? flags : '', UNBOUNDED);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    const hint = FOREIGN_SYNTAX.find((foreign) => foreign.pattern.test(pattern));
    const message = `This is not a valid regular expression: ${error.message}.${hint === undefined ? '' : ` ${hint.message}`}`;
    return { severity: 'error', code: 'bad-regex', message, start, end };
  }
  const foreign = FOREIGN_SYNTAX.find((one) => one.pattern.test(pattern));
  return foreign && { severity: 'warning', code: 'foreign-regex', message: foreign.message, start, end };
}
