import type { CharSet } from './charset.ts';

/** The parsed form of a pattern. Positions are gone: a bad pattern has already thrown. */
export type Node =
  | { kind: 'char'; code: number; fold: boolean }
  | { kind: 'set'; set: CharSet }
  | { kind: 'sequence'; items: Node[] }
  | { kind: 'alternatives'; items: Node[] }
  | { kind: 'repeat'; body: Node; min: number; max: number; mode: RepeatMode }
  | { kind: 'group'; body: Node; index: number }
  | { kind: 'assertion'; what: Assertion }
  | { kind: 'look'; body: Node; behind: boolean; negative: boolean }
  | { kind: 'atomic'; body: Node }
  | { kind: 'backreference'; groups: number[]; fold: boolean }
  | { kind: 'call'; group: number }
  | { kind: 'condition'; group: number; yes: Node; no: Node }
  | { kind: 'keep' };

type RepeatMode = 'greedy' | 'lazy' | 'possessive';

export type Assertion =
  | 'textStart'
  | 'textEnd'
  | 'textEndOrFinalNewline'
  | 'lineStart'
  | 'lineEnd'
  | 'wordBoundary'
  | 'notWordBoundary'
  | 'searchStart';

export interface ParsedPattern {
  root: Node;
  /** One entry per capturing group, in order of its opening parenthesis. */
  groupNames: (string | null)[];
  /** The body of every group, for `\g<name>`; index 0 is the whole pattern. */
  notEmpty: boolean;
  longest: boolean;
}

/** Thrown by the parser; the message is Oniguruma's wording, because jq users know it. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

/** No quantifier may ask for more, as in Oniguruma. */
export const MAX_REPEAT = 100_000;
/** Groups nested deeper than this are refused, so that the parser cannot exhaust the JavaScript stack. */
export const MAX_NESTING = 250;
