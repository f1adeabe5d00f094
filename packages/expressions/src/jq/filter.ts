import type { Value } from '../json.ts';
import type { Machine } from './machine.ts';
import { type Path, stay } from './path.ts';

/**
 * A compiled expression. Cost and invariants:
 *
 * - `one` computes directly and returns; it exists only where an expression has at most one output. Nearly all of a
 *   product's programs run on it alone: no callbacks, no generators, no allocation besides the values.
 * - `run` pushes every output into `emit`, depth first. `emit` answers undefined to go on, or a Stop that everybody
 *   hands upwards unchanged until whoever made it recognises it (`first`, `limit`, `label`). So early exits cost no
 *   exceptions, and back-tracking is nothing but returning.
 * - `paths` is `run` that also says where in its input each output lies. It is built the first time it is needed.
 * - A run may return TAIL instead of making a call in tail position: `machine.tail` then says what is left to do. It
 *   travels up to the nearest caller that is not itself in tail position, which loops (`drive`). That is how recursion
 *   which jq optimises costs no JavaScript stack.
 * - Filters hold no state; everything that belongs to an evaluation is in the Frame and its Machine. A frame's slots
 *   may be overwritten once the consumer of an output has returned, and not before.
 */
export type One = (frame: Frame, input: Value) => Value | Nothing;
export type Run = (frame: Frame, input: Value, emit: Emit) => Signal;
export type RunPaths = (frame: Frame, path: Path, value: Value, emit: EmitPath) => Signal;
export type Emit = (value: Value) => Signal;
export type EmitPath = (path: Path, value: Value) => Signal;

export const NOTHING: unique symbol = Symbol('no output');
export type Nothing = typeof NOTHING;

/** Ends a run early. Compared by identity. */
export class Stop {}
export type Signal = Stop | undefined;

/** Made by whoever needs no more outputs and recognises it by having made it. */
export const STOP = new Stop();
/** A call in tail position is waiting in `machine.tail`. */
export const TAIL = new Stop();

/** What `break $name` hands up to its `label $name`. */
export class Label extends Stop {}

export type Slot = Value | Closure | Label | undefined;

/** The variables and closure arguments of one function call. */
export class Frame {
  readonly machine: Machine;
  readonly parent: Frame | null;
  readonly slots: Slot[];

  constructor(machine: Machine, parent: Frame | null, size: number) {
    this.machine = machine;
    this.parent = parent;
    this.slots = new Array<Slot>(size);
  }
}

/** An argument that is evaluated where it was written, as often as the function asks. */
export class Closure {
  readonly filter: Filter;
  readonly frame: Frame;

  constructor(filter: Filter, frame: Frame) {
    this.filter = filter;
    this.frame = frame;
  }
}

export class Filter {
  readonly one: One | null;
  readonly run: Run;
  #paths: RunPaths | null = null;
  #makePaths: (() => RunPaths) | null;

  constructor(one: One | null, run: Run, makePaths: (() => RunPaths) | null) {
    this.one = one;
    this.run = run;
    this.#makePaths = makePaths;
  }

  get paths(): RunPaths {
    if (this.#paths === null) {
      this.#paths = this.#makePaths === null ? valuesAsPaths(this) : this.#makePaths();
      this.#makePaths = null;
    }
    return this.#paths;
  }
}

/** A filter with at most one output. */
export function single(one: One, makePaths: (() => RunPaths) | null = null): Filter {
  const run: Run = (frame, input, emit) => {
    const value = one(frame, input);
    return value === NOTHING ? undefined : emit(value);
  };
  return new Filter(one, run, makePaths);
}

/** A filter with any number of outputs. */
export function many(run: Run, makePaths: (() => RunPaths) | null = null): Filter {
  return new Filter(null, run, makePaths);
}

/** A filter that builds values: its outputs lie nowhere in its input, unless they happen to be the input itself. */
function valuesAsPaths(filter: Filter): RunPaths {
  const { one, run } = filter;
  if (one !== null) {
    return (frame, path, value, emit) => {
      const output = one(frame, value);
      return output === NOTHING ? undefined : emit(stay(path, value, output), output);
    };
  }
  return (frame, path, value, emit) => run(frame, value, (output) => emit(stay(path, value, output), output));
}

/** A call put off by a tail position. */
export class PendingCall {
  readonly filter: Filter;
  readonly frame: Frame;
  readonly input: Value;
  readonly emit: Emit;

  constructor(filter: Filter, frame: Frame, input: Value, emit: Emit) {
    this.filter = filter;
    this.frame = frame;
    this.input = input;
    this.emit = emit;
  }
}

/** Allocations after which a chain of put-off calls is measured; doubled with what is found, as in Gauge. */
const PENDING_MEASURE = 1 << 20;

/** Makes the calls that were put off, until one ends in something else. */
export function drive(machine: Machine, signal: Signal): Signal {
  if (signal !== TAIL) return signal;
  const mark = machine.temp;
  let measureAt = PENDING_MEASURE;
  let result: Signal = signal;
  while (result === TAIL) {
    const call = machine.tail;
    if (call === null) return undefined;
    machine.tail = null;
    machine.step(1);
    if (machine.temp - mark > measureAt) {
      const cost = pendingCost(machine, call, machine.temp - mark);
      machine.temp = mark + cost;
      measureAt = Math.max(PENDING_MEASURE, 2 * cost);
    }
    result = call.filter.run(call.frame, call.input, call.emit);
  }
  return result;
}

/** What a put-off call keeps alive: its input, its arguments and the variables of its own frame. */
function pendingCost(machine: Machine, call: PendingCall, allocated: number): number {
  let cost = machine.cost(call.input, allocated);
  for (const slot of call.frame.slots) {
    if (slot === undefined || slot instanceof Closure || slot instanceof Stop) continue;
    cost += machine.cost(slot, allocated);
  }
  return Math.min(cost, allocated);
}
