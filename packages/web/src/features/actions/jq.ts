import { evaluate as evaluateJq, type Json } from '@quayside/expressions';
import type { Evaluate } from './form-model.ts';

/** An expression that fails yields null, and every rule of the form says what nothing means (spec/actions.md §1.6). */
export const evaluate: Evaluate = (source, input) => evaluateJq(source, input as Json);
