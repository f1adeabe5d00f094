import type { Json, Value } from '../json.ts';

/** A half-open range of UTF-16 offsets in the program's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Position extends Span {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
}

export function positionOf(source: string, span: Span): Position {
  const start = Math.min(span.start, source.length);
  const before = source.slice(0, start);
  const line = before.split('\n').length;
  return { start, end: Math.min(span.end, source.length), line, column: start - before.lastIndexOf('\n') };
}

export type ErrorKind = 'syntax' | 'runtime' | 'budget';

/** What a caller of the engine sees: which kind, where in the program, and for `error(value)` the value. */
export class ExpressionError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly position?: Position;
  readonly value?: Json;

  constructor(kind: ErrorKind, code: string, message: string, position?: Position, value?: Json) {
    super(message);
    this.name = 'ExpressionError';
    this.kind = kind;
    this.code = code;
    if (position !== undefined) this.position = position;
    if (value !== undefined) this.value = value;
  }
}

/**
 * An error inside a running program: what `catch` receives. Deliberately no Error: a stack trace per `?` would cost
 * more than the evaluation.
 */
export class JqError {
  readonly value: Value;
  readonly code: string;
  /** Where it was raised; null: the operation the machine noted last. */
  span: Span | null;
  /** The expression whose value was wrong, and what was needed there. */
  subject: Span | null = null;
  need: string | null = null;

  constructor(value: Value, code: string, span: Span | null = null) {
    this.value = value;
    this.code = code;
    this.span = span;
  }

  /** Adds what a person needs: where, which expression had the wrong value, and what was wanted of it. */
  at(span: Span, subject: Span | null, need: string): this {
    this.span = span;
    this.subject = subject;
    this.need = need;
    return this;
  }
}

export type BudgetName = 'steps' | 'outputBytes' | 'outputDepth' | 'memoryBytes' | 'depth' | 'regexSteps' | 'timeMs';

/** A budget ran out. No `try` and no `?` of the program can catch it. */
export class BudgetExceeded {
  readonly budget: BudgetName;
  readonly limit: number;

  constructor(budget: BudgetName, limit: number) {
    this.budget = budget;
    this.limit = limit;
  }
}
