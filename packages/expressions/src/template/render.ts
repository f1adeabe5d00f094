import type { Budget, EvaluateOptions, ExpressionError, Outcome, Program } from '../jq/index.ts';
import { textSizeOf } from '../jq/machine.ts';
import { type Json, type ValueObject, writeKey } from '../json.ts';
import type { BlockPart, Node, TextNode } from './compile.ts';
import { TemplateError } from './error.ts';
import type { JsonPath } from './path.ts';

export interface RenderOptions extends EvaluateOptions {
  /** `steps` and `outputBytes` are for the whole render; the other limits hold for each block. */
  budget?: Partial<Budget>;
}

export type Rendered = { ok: true; value: Json | undefined } | { ok: false; error: TemplateError };

/** A whole render may produce this much, unless the caller says otherwise. */
export const DEFAULT_RENDER_BYTES = 8 * 1024 * 1024;
export const DEFAULT_RENDER_STEPS = 5_000_000;

/**
 * One render. The budgets are shared: what one block used is not there for the next. Blocks that fail give null (their
 * errors go to `onBlockError`); a block that exceeds a budget, a bad key and a bad spread end the render.
 */
export class Rendering {
  private readonly context: Json;
  private readonly options: RenderOptions;
  private readonly onBlockError: ((error: TemplateError) => void) | undefined;
  private readonly limits: { steps: number; outputBytes: number };
  private stepsLeft: number;
  private bytesLeft: number;

  constructor(context: Json, options: RenderOptions, onBlockError?: (error: TemplateError) => void) {
    this.context = context;
    this.options = options;
    this.onBlockError = onBlockError;
    this.limits = {
      steps: options.budget?.steps ?? DEFAULT_RENDER_STEPS,
      outputBytes: options.budget?.outputBytes ?? DEFAULT_RENDER_BYTES,
    };
    this.stepsLeft = this.limits.steps;
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
      const error = blockError(outcome.error, part, node, path);
      if (error.code === 'budget') throw error;
      this.onBlockError?.(error);
      return null;
    }
    if (outcome.value !== undefined) this.spendBytes(textSizeOf(outcome.value, this.bytesLeft + 1), path);
    return outcome.value;
  }

  private evaluate(program: Program, path: JsonPath): Outcome {
    if (this.stepsLeft <= 0) throw this.exceeded('steps', path);
    const usage = { steps: 0 };
    // Steps of regular expressions count as steps here, so that a thousand blocks do not have a thousand allowances.
    const regexSteps = Math.min(this.options.budget?.regexSteps ?? Number.POSITIVE_INFINITY, this.stepsLeft);
    const budget = { ...this.options.budget, steps: this.stepsLeft, outputBytes: this.bytesLeft, regexSteps };
    const outcome = program.first(this.context, { ...this.options, budget, usage });
    this.stepsLeft -= usage.steps;
    return outcome;
  }

  private spendBytes(count: number, path: JsonPath): void {
    this.bytesLeft -= count;
    if (this.bytesLeft < 0) throw this.exceeded('outputBytes', path);
  }

  private exceeded(budget: 'steps' | 'outputBytes', path: JsonPath): TemplateError {
    return new TemplateError('budget', `the render exceeds its budget of ${this.limits[budget]} ${budget}`, path);
  }
}

function blockError(error: ExpressionError, part: BlockPart, node: TextNode, path: JsonPath): TemplateError {
  const start = part.start + (error.position?.start ?? 0);
  const end = error.position === undefined ? part.end : part.start + error.position.end;
  const code = error.kind === 'budget' ? 'budget' : 'program';
  return new TemplateError(code, error.message, path, { text: node.text, start, end }, error);
}

/** The kind of a value, never the value: it may be a secret. */
function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
