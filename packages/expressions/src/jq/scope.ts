import type { Value } from '../json.ts';
import type { Ast, FunctionDefinition, Pattern } from './ast.ts';
import type { Span } from './errors.ts';
import type { Filter, Frame } from './filter.ts';

/** The shape of the frames of one function, argument or program: how many slots, and whose frame is the parent. */
export class Layout {
  readonly parent: Layout | null;
  size = 0;

  constructor(parent: Layout | null) {
    this.parent = parent;
  }

  slot(): number {
    return this.size++;
  }
}

/** A function written in jq. `body` is null while it is being compiled, which is when a call to it is a recursion. */
export class UserFunction {
  readonly definition: FunctionDefinition;
  /** Where the definition stands: calls climb from their own frame to this one. */
  readonly home: Layout;
  /** Its own frames; the same as `home` when it needs none. */
  readonly layout: Layout;
  /** Slots of the closure arguments, and for `$`-parameters of their values. */
  readonly slots: { closure: number; value: number | null }[] = [];
  body: Filter | null = null;
  /** While compiling: recursive calls may be compiled as if the function had at most one output. */
  assumeOne = true;
  assumptionUsed = false;

  constructor(definition: FunctionDefinition, home: Layout, layout: Layout) {
    this.definition = definition;
    this.home = home;
    this.layout = layout;
  }

  get arity(): number {
    return this.definition.params.length;
  }
}

export type Binding =
  | { kind: 'variable'; name: string; layout: Layout; slot: number }
  | { kind: 'parameter'; name: string; layout: Layout; slot: number }
  | { kind: 'label'; name: string; layout: Layout; slot: number }
  | { kind: 'function'; name: string; function: UserFunction }
  | { kind: 'constant'; name: string; value: Value };

/** What names mean at a place in the program: a list that only grows at its head. */
export class Scope {
  readonly binding: Binding;
  readonly outer: Scope | null;

  constructor(binding: Binding, outer: Scope | null) {
    this.binding = binding;
    this.outer = outer;
  }
}

export function findFunction(scope: Scope | null, name: string, arity: number): Binding | null {
  for (let at = scope; at !== null; at = at.outer) {
    const { binding } = at;
    if (binding.name !== name) continue;
    if (binding.kind === 'function' && binding.function.arity === arity) return binding;
    if (binding.kind === 'parameter' && arity === 0) return binding;
  }
  return null;
}

export function findVariable(scope: Scope | null, name: string): Binding | null {
  for (let at = scope; at !== null; at = at.outer) {
    const { binding } = at;
    if (binding.name === name && (binding.kind === 'variable' || binding.kind === 'constant')) return binding;
  }
  return null;
}

export function findLabel(scope: Scope | null, name: string): Binding | null {
  for (let at = scope; at !== null; at = at.outer) {
    if (at.binding.kind === 'label' && at.binding.name === name) return at.binding;
  }
  return null;
}

/** How many frames to climb from a frame of `from` to the frame of `to` it lies in. */
export function hopsBetween(from: Layout, to: Layout): number {
  let hops = 0;
  for (let at: Layout | null = from; at !== null && at !== to; at = at.parent) hops++;
  return hops;
}

/** A function that climbs that many frames; nearly always none, one or two. */
export function climb(hops: number): (frame: Frame) => Frame {
  switch (hops) {
    case 0:
      return (frame) => frame;
    case 1:
      return (frame) => frame.parent as Frame;
    case 2:
      return (frame) => frame.parent?.parent as Frame;
    default:
      return (frame) => {
        let at = frame;
        for (let hop = 0; hop < hops; hop++) at = at.parent as Frame;
        return at;
      };
  }
}

/** What surrounds the expression that is being compiled. */
export interface Context {
  readonly scope: Scope | null;
  readonly layout: Layout;
  /** The expression's outputs are the enclosing function's outputs, with nothing left to do after them. */
  readonly tail: boolean;
  /** The expression that produces the input, for error messages. */
  readonly subject: Span | null;
}

const bindsCache = new WeakMap<Ast, boolean>();

/**
 * Whether evaluating the expression writes slots of its frame. Arguments that do are given a frame of their own: they
 * may be entered again before they are finished.
 */
export function bindsSlots(ast: Ast): boolean {
  const known = bindsCache.get(ast);
  if (known !== undefined) return known;
  const result = computeBindsSlots(ast);
  bindsCache.set(ast, result);
  return result;
}

function computeBindsSlots(ast: Ast): boolean {
  switch (ast.kind) {
    case 'bind':
    case 'reduce':
    case 'foreach':
    case 'label':
      return true;
    default:
      return childrenOf(ast).some(bindsSlots);
  }
}

/** The direct sub-expressions of a node, patterns' keys included. */
export function childrenOf(ast: Ast): Ast[] {
  switch (ast.kind) {
    case 'identity':
    case 'recurse':
    case 'literal':
    case 'format':
    case 'variable':
    case 'location':
    case 'break':
      return [];
    case 'template':
      return ast.parts.filter((part) => typeof part !== 'string');
    case 'index':
      return [ast.target, ast.key];
    case 'slice':
      return [ast.target, ast.from, ast.to].filter((part) => part !== null);
    case 'iterate':
      return [ast.target];
    case 'call':
      return ast.args;
    case 'negate':
      return [ast.operand];
    case 'pipe':
    case 'comma':
    case 'binary':
    case 'logical':
    case 'alternative':
    case 'assign':
      return [ast.left, ast.right];
    case 'if':
      return ast.otherwise === null ? [ast.condition, ast.then] : [ast.condition, ast.then, ast.otherwise];
    case 'try':
      return ast.handler === null ? [ast.body] : [ast.body, ast.handler];
    case 'reduce':
      return [ast.source, ast.init, ast.update, ...ast.patterns.flatMap(patternKeys)];
    case 'foreach': {
      const parts = [ast.source, ast.init, ast.update, ...ast.patterns.flatMap(patternKeys)];
      return ast.extract === null ? parts : [...parts, ast.extract];
    }
    case 'label':
      return [ast.body];
    case 'bind':
      return [ast.source, ast.body, ...ast.patterns.flatMap(patternKeys)];
    case 'define':
      return [ast.function.body, ast.rest];
    case 'array':
      return ast.body === null ? [] : [ast.body];
    case 'object':
      return ast.entries.flatMap((entry) => (entry.value === null ? [entry.key] : [entry.key, entry.value]));
  }
}

function patternKeys(pattern: Pattern): Ast[] {
  switch (pattern.kind) {
    case 'variable':
      return [];
    case 'array':
      return pattern.items.flatMap(patternKeys);
    case 'object':
      return pattern.entries.flatMap((entry) => [entry.key, ...(entry.value === null ? [] : patternKeys(entry.value))]);
  }
}
