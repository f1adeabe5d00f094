import { compileEcmaRegex, RegexError } from '../regex/index.ts';

/**
 * Patterns in schemas are written by users, and so are the texts they meet: both are hostile. All checks of one form, or of one
 * entity, share a budget, so that many bad patterns cost no more than one.
 */
export interface PatternWork {
  left: number;
}

/** At most some tens of milliseconds; a typical check of a short text takes less than a hundred steps. */
const steps = 1_000_000;
export const patternWork = (): PatternWork => ({ left: steps });

class TooMuchWork extends Error {}

/** Does the text match? Otherwise why that is not known, as the end of a sentence about the pattern. */
export function matchPattern(pattern: string, text: string, work: PatternWork): boolean | { reason: string } {
  const step = (count: number): void => {
    work.left -= count;
    if (work.left < 0) throw new TooMuchWork();
  };
  try {
    return compileEcmaRegex(pattern, { step }).exec(text, 0) !== null;
  } catch (error) {
    if (error instanceof TooMuchWork) return { reason: 'takes too long on this text' };
    if (error instanceof RegexError) return { reason: error.message };
    throw error;
  }
}

/** What keeps a pattern from being used, as the end of a sentence; undefined = nothing. */
export function mistakeInPattern(pattern: string): string | undefined {
  const isMatch = matchPattern(pattern, '', patternWork());
  return typeof isMatch === 'boolean' ? undefined : isMatch.reason;
}
