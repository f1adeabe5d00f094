import {
  type Budget,
  DEFAULT_BUDGET,
  type EvaluateOptions,
  type ExpressionError,
  type Outcome,
  type Program,
} from '../jq/index.ts';
import { textSizeOf } from '../jq/machine.ts';
import { type Json, type ValueObject, writeKey } from '../json.ts';
import type { BlockPart, Node, TextNode } from './compile.ts';
import { TemplateError } from './error.ts';
import type { JsonPath } from './path.ts';

export interface RenderOptions extends EvaluateOptions {
  /**
   * `steps` (regular expressions included) and `outputBytes` are for the whole render; the other limits hold for each
   * block, and so does the engine's default of steps when none is given here.
   */
  budget?: Partial<Budget>;
}

export type Rendered = { ok: true; value: Json | undefined } | { ok: false; error: TemplateError };

/** A whole render may produce this much, unless the caller says otherwise. */
export const DEFAULT_RENDER_BYTES = 8 * 1024 * 1024;
export const DEFAULT_RENDER_STEPS = 2_000_000;

/**
 * One render. The budgets are shared: what one block used is not there for the next. Blocks that fail give null (their
 * errors go to `onBlockError`); a block that exceeds a budget, a bad key and a bad spread end the render.
 */
export class Rendering {
  private readonly context: Json;
  private readonly onBlockError: ((error: TemplateError) => void) | undefined;
  private readonly limits: { steps: number; outputBytes: number; blockSteps: number; blockRegexSteps: number };
  private readonly usage = { steps: 0 };
  private readonly blockBudget: Partial<Budget>;
  /** One object for all blocks; its budget is set anew before each. */
  private readonly blockOptions: EvaluateOptions;
  private bytesLeft: number;

  constructor(context: Json, options: RenderOptions, onBlockError?: (error: TemplateError) => void) {
    this.context = context;
    this.onBlockError = onBlockError;
    const { steps, outputBytes, regexSteps } = options.budget ?? {};
    this.limits = {
      steps: steps ?? DEFAULT_RENDER_STEPS,
      outputBytes: outputBytes ?? DEFAULT_RENDER_BYTES,
      blockSteps: steps ?? DEFAULT_BUDGET.steps,
      blockRegexSteps: regexSteps ?? DEFAULT_BUDGET.regexSteps ?? DEFAULT_BUDGET.steps,
    };
    this.blockBudget = { ...options.budget };
    this.blockOptions = { ...options, budget: this.blockBudget, usage: this.usage };
    this.bytesLeft = this.limits.outputBytes;
  }

  /** Throws TemplateError for what ends a render. */
  node(node: Node, path: JsonPath): Json | undefined {
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'text':
        return this.text(node, path);
      case 'array':
        // JSON has no hole: an item without a value is null, as JSON.stringify writes it.
        return node.items.map((item, index) => this.node(item, [...path, index]) ?? null);
      case 'object':
        return this.object(node, path);
    }
  }

  private object(node: Node & { kind: 'object' }, path: JsonPath): Json {
    const result: { [key: string]: Json } = {};
    for (const entry of node.entries) {
      const place = [...path, entry.name];
      if (entry.kind === 'spread') {
        const value = this.node(entry.value, place);
        if (value === null || typeof value !== 'object') {
          throw new TemplateError(
            'spread-not-an-object',
            `spreadValue() needs an object, got ${describe(value)}`,
            place,
          );
        }
        // Arrays spread as index keys (spec/actions.md §1.12.3).
        for (const [key, item] of Object.entries(value)) writeKey(result as ValueObject, key, item);
        continue;
      }
      const key = typeof entry.key === 'string' ? entry.key : this.text(entry.key, place);
      if (key === null || key === undefined || key === '') continue;
      if (typeof key !== 'string') {
        throw new TemplateError('key-not-a-string', `a key must be a string or null, got ${describe(key)}`, place);
      }
      const value = this.node(entry.value, place);
      if (value !== undefined) writeKey(result as ValueObject, key, value);
    }
    return result;
  }

  private text(node: TextNode, path: JsonPath): Json | undefined {
    if (node.single) {
      const block = node.parts.find((part) => typeof part !== 'string');
      return block === undefined ? null : this.block(block, node, path);
    }
    let text = '';
    for (const part of node.parts) {
      const value = typeof part === 'string' ? part : this.block(part, node, path);
      // An empty result is spelled as the reference implementation spells it (spec/actions.md §1.12.4).
      const piece = typeof value === 'string' ? value : value === undefined ? 'undefined' : JSON.stringify(value);
      if (typeof part === 'string') this.spendBytes(part.length, path);
      text += piece;
    }
    return text;
  }

  private block(part: BlockPart, node: TextNode, path: JsonPath): Json | undefined {
    const outcome = part.compiled.ok ? this.evaluate(part.compiled.program, path) : part.compiled;
    if (!outcome.ok) {
      const error = this.blockError(outcome.error, part, node, path);
      if (error.code === 'budget') throw error;
      this.onBlockError?.(error);
      return null;
    }
    if (outcome.value !== undefined) this.spendBytes(textSizeOf(outcome.value, this.bytesLeft + 1), path);
    return outcome.value;
  }

  private evaluate(program: Program, path: JsonPath): Outcome {
    const { limits, blockBudget, usage } = this;
    const left = limits.steps - usage.steps;
    if (left <= 0) throw this.exceeded('steps', path);
    // Steps of regular expressions count as steps here, so that a thousand blocks do not have a thousand allowances.
    blockBudget.steps = Math.min(limits.blockSteps, left);
    blockBudget.regexSteps = Math.min(limits.blockRegexSteps, left);
    blockBudget.outputBytes = this.bytesLeft;
    return program.first(this.context, this.blockOptions);
  }

  private spendBytes(count: number, path: JsonPath): void {
    this.bytesLeft -= count;
    if (this.bytesLeft < 0) throw this.exceeded('outputBytes', path);
  }

  private blockError(error: ExpressionError, part: BlockPart, node: TextNode, path: JsonPath): TemplateError {
    const start = part.start + (error.position?.start ?? 0);
    const end = error.position === undefined ? part.end : part.start + error.position.end;
    const place = { text: node.text, start, end };
    if (error.kind !== 'budget') return new TemplateError('program', error.message, path, place, error);
    // A limit that only came from what earlier blocks left over is the render's, and is named with its full size.
    const { limits, usage } = this;
    const isShared = error.code === 'outputBytes' || (error.code !== 'memoryBytes' && usage.steps >= limits.steps);
    const own = isShared
      ? this.exceeded(error.code === 'outputBytes' ? 'outputBytes' : 'steps', path).reason
      : error.message;
    return new TemplateError('budget', own, path, place, error);
  }

  private exceeded(budget: 'steps' | 'outputBytes', path: JsonPath): TemplateError {
    return new TemplateError('budget', `the render exceeds its budget of ${this.limits[budget]} ${budget}`, path);
  }
}

/** The kind of a value, never the value: it may be a secret. */
function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
