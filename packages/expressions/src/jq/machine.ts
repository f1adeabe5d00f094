import { BigNumber, type Json, type Value } from '../json.ts';
import { BudgetExceeded, type Span } from './errors.ts';
import type { PendingCall } from './filter.ts';

/**
 * What one evaluation may use. Everything is counted inside the evaluator, so a limit stops a program at the next
 * operation, synchronously, and says which limit it was.
 */
export interface Budget {
  /** Iterations, calls and work proportional to data. A step costs 10 to 200 ns. */
  steps: number;
  /** JSON text size of all outputs together, estimated. */
  outputBytes: number;
  /** Nesting of an output. Beyond a few thousand levels JavaScript cannot write it as JSON. */
  outputDepth: number;
  /** Live values built by the program, estimated; the input is not counted. */
  memoryBytes: number;
  /** Nesting of non-tail calls, and of brackets in the program's text. */
  depth: number;
  /** Steps of regular expressions, in total. */
  regexSteps?: number;
  /** Wall clock, checked every 4,096 steps. Off by default: it makes results depend on the machine. */
  timeMs?: number;
}

/** Chosen so that each hostile program of test/hostile.test.ts ends within 100 ms and 64 MB on a 2-core machine. */
export const DEFAULT_BUDGET: Readonly<Budget> = {
  steps: 250_000,
  outputBytes: 16 * 1024 * 1024,
  outputDepth: 1_000,
  memoryBytes: 12 * 1024 * 1024,
  depth: 10_000,
  regexSteps: 700_000,
};

export interface World {
  env: Readonly<Record<string, string>>;
  variables: Readonly<Record<string, Json>>;
  now: () => number;
}

const TIME_CHECK_STEPS = 4096;
/** An item that cost no more than this is taken to keep all of it. */
const SMALL = 160;
/** Larger objects are hash tables in V8: each key costs some 300 ns to copy or to list, ten times that of a small one. */
const HASHED_FROM = 64;
/** What raising and catching an error costs, its message included. */
const CATCH_STEPS = 16;
/** Below this a measurement costs more than the over-estimate it removes. */
const MEASURE_FROM = 1 << 20;

/**
 * Counters of one evaluation.
 *
 * Memory invariant: `temp` is what was allocated by the operations still in progress, `retained` what collectors
 * (`[…]`, reduce, sort keys …) hold on to. A generator resets `temp` to its mark when the consumer of an item returns,
 * because everything the consumer kept has been moved to `retained` by then. So `temp + retained` bounds the live
 * memory from above, and garbage costs nothing.
 */
export class Machine {
  readonly budget: Budget;
  readonly world: World;
  temp = 0;
  retained = 0;
  depth = 0;
  /** The operation that is about to run; an error without a position of its own happened there. */
  at: Span | null = null;
  tail: PendingCall | null = null;
  /** Whether a BigNumber may be among the values: outputs are then made plain. */
  hasLiterals = false;
  regexSteps: number;
  #steps: number;
  #untilTimeCheck: number;
  #deadline: number;

  constructor(budget: Budget, world: World) {
    this.budget = budget;
    this.world = world;
    this.#steps = budget.steps;
    this.regexSteps = budget.regexSteps ?? budget.steps;
    this.#deadline = budget.timeMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + budget.timeMs;
    this.#untilTimeCheck = budget.timeMs === undefined ? Number.NEGATIVE_INFINITY : budget.steps - TIME_CHECK_STEPS;
  }

  step(count: number): void {
    const left = this.#steps - count;
    this.#steps = left;
    if (left < this.#untilTimeCheck) this.#checkTime();
    if (left < 0) throw new BudgetExceeded('steps', this.budget.steps);
  }

  /** Steps and regex steps since the start. */
  stepsUsed(): number {
    const { steps, regexSteps = steps } = this.budget;
    return steps - this.#steps + regexSteps - this.regexSteps;
  }

  stepsLeft(): number {
    return this.#steps;
  }

  #checkTime(): void {
    this.#untilTimeCheck = this.#steps - TIME_CHECK_STEPS;
    if (performance.now() > this.#deadline) throw new BudgetExceeded('timeMs', this.budget.timeMs ?? 0);
  }

  /** Announces a value of that many bytes, before it is built. */
  allocate(bytes: number): void {
    this.temp += bytes;
    if (this.temp + this.retained > this.budget.memoryBytes) {
      throw new BudgetExceeded('memoryBytes', this.budget.memoryBytes);
    }
  }

  /** Announces a string of that many UTF-16 units; charges steps for writing it. */
  allocateString(length: number): void {
    this.allocate(32 + length);
    if (length > 64) this.step(length >> 6);
  }

  allocateArray(length: number): void {
    this.allocate(48 + 8 * length);
    if (length > 16) this.step(length >> 3);
  }

  allocateObject(keys: number): void {
    this.allocate(40 + 24 * keys);
    if (keys > 4) this.step(keys > HASHED_FROM ? 4 * keys : keys >> 2);
  }

  /** Announces that the keys of an object are about to be listed. */
  list(keys: number): void {
    if (keys > HASHED_FROM) this.step(3 * keys);
  }

  /** Charges for an error that the program catches. */
  caught(): void {
    this.step(CATCH_STEPS);
  }

  enter(): void {
    if (++this.depth > this.budget.depth) throw new BudgetExceeded('depth', this.budget.depth);
  }

  /**
   * Upper bound of what keeping `value` costs, given that `allocated` bytes were allocated while it was made: parts
   * older than that are counted elsewhere. The cost of measuring is bounded by the cost of those allocations.
   */
  cost(value: Value, allocated: number): number {
    if (allocated <= SMALL) return Math.max(allocated, 0);
    return sizeOf(value, allocated);
  }
}

/**
 * What a value that replaces itself again and again keeps alive: the state of a loop. Measured only after as much has
 * been allocated as the last measurement found, so measuring costs a constant share of the allocations themselves.
 */
export class Gauge {
  #next = MEASURE_FROM;

  settle(value: Value, allocated: number): number {
    if (allocated < this.#next) return allocated;
    const size = sizeOf(value, allocated);
    this.#next = Math.max(MEASURE_FROM, 2 * size);
    return size;
  }
}

/** Estimated bytes of a value, shared parts counted per reference; stops counting at `cap`. */
function sizeOf(value: Value, cap: number): number {
  if (typeof value === 'string') return Math.min(32 + value.length, cap);
  if (typeof value !== 'object' || value === null) return 0;
  let size = 0;
  const stack: Value[] = [value];
  while (stack.length > 0) {
    const item = stack.pop() as Value;
    if (typeof item === 'string') size += 32 + item.length;
    else if (typeof item !== 'object' || item === null) continue;
    else if (Array.isArray(item)) {
      size += 48 + 8 * item.length;
      if (size < cap)
        for (const child of item) if (typeof child === 'string' || typeof child === 'object') stack.push(child);
    } else if (item instanceof BigNumber) size += 48;
    else {
      size += 40;
      for (const key in item) {
        size += 24;
        if (size >= cap) return cap;
        const child = item[key] as Value;
        if (typeof child === 'string' || typeof child === 'object') stack.push(child);
      }
    }
    if (size >= cap) return cap;
  }
  return size;
}

/**
 * Estimated length of a value's JSON text; stops counting beyond `cap`. Throws when the value nests deeper than
 * `maxDepth`, with one JavaScript frame per level.
 */
export function textSizeOf(value: Value, cap: number, maxDepth = Number.POSITIVE_INFINITY, level = 0): number {
  if (typeof value === 'string') return 2 + value.length;
  if (typeof value !== 'object' || value === null) return 4;
  if (level >= maxDepth) {
    if (value instanceof BigNumber) return 4;
    throw new BudgetExceeded('outputDepth', maxDepth);
  }
  let size = 2;
  if (Array.isArray(value)) {
    size += value.length;
    for (let at = 0; at < value.length && size <= cap; at++) {
      size += textSizeOf(value[at] as Value, cap - size, maxDepth, level + 1);
    }
  } else if (value instanceof BigNumber) size = BigNumber.text(value).length;
  else {
    for (const key in value) {
      if (size > cap) break;
      size += 4 + key.length;
      size += textSizeOf(value[key] as Value, cap - size, maxDepth, level + 1);
    }
  }
  return size;
}
