import { compileExpression } from '../evaluate/expression.ts';
import type { EvaluateOptions, ExpressionError, Program } from '../jq/index.ts';
import { type Json, type ValueObject, writeKey } from '../json.ts';
import type { FieldSource, Shape } from './config.ts';

/**
 * Why a field has no value.
 * - `compile`: the program is not valid; the same for every item.
 * - `runtime`: it failed on this item.
 * - `budget`: it was stopped.
 * - `null`: it ran and gave null or nothing, which an entity may have.
 */
export type FaultReason = 'compile' | 'runtime' | 'budget' | 'null';

export interface Fault {
  /** As the event log names it: `properties.url`. */
  field: string;
  /** The program as the user wrote it (`pattern` in the event log). */
  source: string;
  reason: FaultReason;
  message: string;
  error: ExpressionError | undefined;
}

type OnFault = (fault: Fault) => void;

/** Options of one item: `usage` adds up what its fields use. */
export type ItemOptions = EvaluateOptions & { usage: { steps: number } };

/**
 * Steps after which an item gets no more programs: a thousand greedy fields must not take a thousand budgets. One field
 * may use its own budget on top.
 */
const ITEM_STEPS = 2_000_000;

/** Fills one field from an item. Answers null for what has no value, after reporting why. */
export type Fill = (item: Json, options: ItemOptions, onFault: OnFault) => Json;

/** Bounded by the compiled configuration: one small function per leaf, nothing per item but the values. */
export function compileShape(shape: Shape): Fill {
  switch (shape.kind) {
    case 'constant':
      return () => shape.value;
    case 'program':
      return compileField(shape.field);
    case 'list': {
      const items = shape.items.map(compileShape);
      return (item, options, onFault) => items.map((fill) => fill(item, options, onFault));
    }
    case 'object': {
      const entries = shape.entries.map(({ key, shape: child }) => ({ key, fill: compileShape(child) }));
      return (item, options, onFault) => {
        const result: { [key: string]: Json } = {};
        for (const { key, fill } of entries) writeKey(result as ValueObject, key, fill(item, options, onFault));
        return result;
      };
    }
  }
}

function compileField({ name, source }: FieldSource): Fill {
  const literal = literalOf(source);
  if (literal !== undefined && literal !== null) return () => literal;
  const compiled = compileExpression(source, 'documented');
  if (!compiled.ok) {
    const fault = faultOf(name, source, 'compile', compiled.error);
    return (_item, _options, onFault) => {
      onFault(fault);
      return null;
    };
  }
  const { program } = compiled;
  const nothing: Fault = { field: name, source, reason: 'null', message: NULL_MESSAGE, error: undefined };
  const tooMuch = `the fields before this one used up the item's budget of ${ITEM_STEPS} steps`;
  const exhausted: Fault = { field: name, source, reason: 'budget', message: tooMuch, error: undefined };
  return (item, options, onFault) => {
    if (options.usage.steps > ITEM_STEPS) {
      onFault(exhausted);
      return null;
    }
    const outcome = program.first(item, options);
    if (!outcome.ok) {
      const { error } = outcome;
      onFault(faultOf(name, source, error.kind === 'budget' ? 'budget' : 'runtime', error));
      return null;
    }
    const value = outcome.value ?? null;
    if (value === null) onFault(nothing);
    return value;
  };
}

const NULL_MESSAGE = 'null, missing, or misconfigured';

export function faultOf(field: string, source: string, reason: FaultReason, error: ExpressionError): Fault {
  return { field, source, reason, message: error.message.split('\n', 1)[0] ?? '', error };
}

/** `'"microservice"'`, the usual blueprint: a literal needs no evaluation. Only what JSON and jq spell alike. */
function literalOf(source: string): Json | undefined {
  const text = source.trim();
  if (!/^(?:"[^"\\]*"|true|false)$/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** A program that is run by the mapping itself (selector, itemsToParse). */
export type Query = { ok: true; source: string; program: Program } | { ok: false; source: string; fault: Fault };

export function compileQuery(field: string, source: string): Query {
  const compiled = compileExpression(source, 'documented');
  if (compiled.ok) return { ok: true, source, program: compiled.program };
  return { ok: false, source, fault: faultOf(field, source, 'compile', compiled.error) };
}
