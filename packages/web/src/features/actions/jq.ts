import type { Evaluate } from './form-model.ts';

/** An expression that fails yields nothing, and every rule of the form says what nothing means (spec/actions.md §1.6). */
export const evaluate: Evaluate = () => null;
