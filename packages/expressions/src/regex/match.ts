import { contains, foldCase, WORD } from './charset.ts';
import { type Look, Op, type Program, WIDTH } from './program.ts';
import { RegexError } from './syntax.ts';
import type { Text } from './text.ts';

/**
 * The matcher: backtracking with an explicit stack, in two gears.
 *
 * Quick gear: no memo. It is given an allowance of steps proportional to the text. Almost every real match ends in it.
 * Memo gear: when the allowance runs out and the pattern is regular (no back-reference, look-around, atomic group,
 * condition or call), the search starts again on the second program and every SPLIT is tried once per position, so the
 * whole search costs O(program × text) whatever the pattern. `(a+)+$` is linear. What a state may still reach also
 * depends on which loops have consumed nothing in their current round, so one bit per such loop belongs to the memo's
 * key. Beyond MAX_ROUNDS of them the bits are left out and a round that consumed nothing fails instead of leaving its
 * loop, which can change where such a pattern stops.
 * Patterns that are not regular stay in the quick gear and are stopped by the caller's step budget.
 *
 * Invariants: slots hold positions or -1; every change of a slot pushes its old value, so popping restores it. Frames
 * are four integers (tag, a, b, call): a tag that is an instruction's offset resumes there; RUN_FRAME more than that
 * gives back (or takes) one character of that RUN; tag < 0 restores slot -1 - tag.
 * Memory: the stack is capped at MAX_STACK integers, the memo at MAX_MEMO_WORDS; both end in a RegexError.
 */
const MAX_STACK = 8_000_000;
const MAX_MEMO_WORDS = 4_000_000;
const MAX_ROUNDS = 6;
const MAX_CALLS = 100_000;
const MAX_SUB_DEPTH = 400;
/** Offsets are multiples of WIDTH, so this cannot be one. */
const RUN_FRAME = 1;
const CHARGE_EVERY = 1024;
/** Steps of the quick gear before the memo gear takes over: this many, plus this many per character. */
const ALLOWANCE = 4096;
const ALLOWANCE_PER_CHAR = 8;

/** Thrown inside the quick gear when its allowance is used up. */
const CHANGE_GEAR = new Error('allowance used up');

let sharedStack = new Int32Array(4096);

export class Matcher {
  private readonly program: Program;
  private readonly text: Text;
  private readonly from: number;
  private readonly charge: (steps: number) => void;
  private readonly allowance: number;
  private readonly memo: (Int32Array | undefined)[] | undefined;
  /** Loops whose rounds may consume nothing, as far as the memo tells them apart. */
  private readonly rounds: number;
  private readonly checksRounds: boolean;
  private readonly frames: { back: number; parent: number; group: number }[] = [];
  private stack = sharedStack;
  private top = 0;
  private slots: Int32Array;
  private best: Int32Array | undefined;
  private bestWidth = 0;
  private steps = 0;
  private charged = 0;
  private memoWords = 0;
  private subDepth = 0;

  constructor(program: Program, text: Text, from: number, charge: (steps: number) => void, memoized: boolean) {
    this.program = program;
    this.text = text;
    this.from = from;
    this.charge = charge;
    this.slots = new Int32Array(program.slotCount).fill(-1);
    this.memo = memoized ? [] : undefined;
    const rounds = program.slotCount - program.firstRound;
    this.checksRounds = !memoized || rounds <= MAX_ROUNDS;
    this.rounds = memoized && this.checksRounds ? rounds : 0;
    this.allowance =
      memoized || !program.memoizable
        ? Number.POSITIVE_INFINITY
        : ALLOWANCE + ALLOWANCE_PER_CHAR * (text.length - from);
  }

  /** Positions of all slots of the leftmost match at or after `from`, or undefined. Throws what `charge` throws. */
  search(): Int32Array | undefined {
    const { program, text, from } = this;
    try {
      for (let start = from; start <= text.length; start++) {
        start = this.nextStart(start);
        if (start < 0) break;
        if (this.run(0, start, start)) return this.slots;
        if (program.anchor !== undefined) break;
      }
      return this.best;
    } finally {
      this.flush();
    }
  }

  private flush(): void {
    const owed = this.steps - this.charged;
    this.charged = this.steps;
    if (owed > 0) this.charge(owed);
  }

  /** Skips positions where no match can begin; -1 when none is left. */
  private nextStart(start: number): number {
    const { program, text } = this;
    if (program.anchor === 'textStart') return start === 0 ? 0 : -1;
    if (program.anchor === 'searchStart') return start === this.from ? start : -1;
    if (program.prefix !== '' && text.points === undefined) {
      const found = text.source.indexOf(program.prefix, start);
      this.steps += ((found < 0 ? text.length : found) - start) >> 4;
      return found;
    }
    const { first } = program;
    if (first === undefined) return start;
    let at = start;
    while (at < text.length) {
      const code = text.points === undefined ? text.source.charCodeAt(at) : (text.points[at] ?? 0);
      if (first[Math.min(code, 128)] === 1) break;
      at++;
    }
    this.steps += (at - start) >> 3;
    return at < text.length ? at : -1;
  }

  private push(tag: number, a: number, b: number, call: number): void {
    if (this.top + 4 > this.stack.length) this.growStack();
    const { stack } = this;
    stack[this.top++] = tag;
    stack[this.top++] = a;
    stack[this.top++] = b;
    stack[this.top++] = call;
  }

  private growStack(): void {
    if (this.stack.length >= MAX_STACK) throw new RegexError('match-stack limit over');
    const grown = new Int32Array(this.stack.length * 2);
    grown.set(this.stack);
    this.stack = grown;
    if (grown.length <= 65_536) sharedStack = grown;
  }

  private setSlot(slot: number, value: number): void {
    this.push(-1 - slot, this.slots[slot] ?? -1, 0, 0);
    this.slots[slot] = value;
  }

  /** True when this SPLIT was not tried at this position before. */
  private enter(memo: (Int32Array | undefined)[], pc: number, position: number): boolean {
    const index = position >> 5;
    let chunk = memo[index];
    if (chunk === undefined) {
      const words = (this.program.code.length / WIDTH) << this.rounds;
      this.memoWords += words;
      if (this.memoWords > MAX_MEMO_WORDS) throw new RegexError('pattern times text is too large');
      this.steps += words >> 3;
      chunk = new Int32Array(words);
      memo[index] = chunk;
    }
    let word = pc / WIDTH;
    for (let round = 0; round < this.rounds; round++) {
      word = word * 2 + (this.slots[this.program.firstRound + round] === position ? 1 : 0);
    }
    const bit = 1 << (position & 31);
    const seen = chunk[word] ?? 0;
    if ((seen & bit) !== 0) return false;
    chunk[word] = seen | bit;
    return true;
  }

  /** Undoes slots down to `base`, dropping choices: the body of an atomic group has no second try. */
  private unwind(base: number): void {
    const { stack } = this;
    while (this.top > base) {
      this.top -= 4;
      const tag = stack[this.top] ?? 0;
      if (tag < 0) this.slots[-1 - tag] = stack[this.top + 1] ?? -1;
    }
  }

  /**
   * Runs from an instruction until Match or SubMatch (true, `this.end` set) or until every choice pushed by this call
   * is used up (false, slots as they were).
   */
  private end = 0;
  private run(startPc: number, startAt: number, searchAt: number, wantedEnd = -1, call = -1): boolean {
    const { program, memo } = this;
    const { code, sets } = program;
    const { source, points, length } = this.text;
    const base = this.top;
    let pc = startPc;
    let at = startAt;
    let frame = call;
    for (;;) {
      if (++this.steps - this.charged >= CHARGE_EVERY) {
        this.flush();
        if (this.steps > this.allowance) throw CHANGE_GEAR;
      }
      let failed = false;
      switch (code[pc]) {
        case Op.Char: {
          const c = at < length ? (points === undefined ? source.charCodeAt(at) : points[at]) : -1;
          if (c === code[pc + 1]) {
            at++;
            pc += WIDTH;
          } else failed = true;
          break;
        }
        case Op.CharFold: {
          const c = at < length ? (points === undefined ? source.charCodeAt(at) : (points[at] ?? 0)) : -1;
          if (c >= 0 && foldCase(c) === code[pc + 1]) {
            at++;
            pc += WIDTH;
          } else failed = true;
          break;
        }
        case Op.Set: {
          const set = sets[code[pc + 1] as number];
          const c = at < length ? (points === undefined ? source.charCodeAt(at) : (points[at] ?? 0)) : -1;
          if (c >= 0 && set !== undefined && (c < 128 ? set.ascii[c] === 1 : set.other(c))) {
            at++;
            pc += WIDTH;
          } else failed = true;
          break;
        }
        case Op.Split:
          if (memo !== undefined && !this.enter(memo, pc, at)) {
            failed = true;
            break;
          }
          this.push(code[pc + 2] as number, at, 0, frame);
          pc = code[pc + 1] as number;
          break;
        case Op.Jump:
          pc = code[pc + 1] as number;
          break;
        case Op.Save:
          this.setSlot(code[pc + 1] as number, at);
          pc += WIDTH;
          break;
        case Op.Assert:
          if (this.holds(code[pc + 1] as number, at)) pc += WIDTH;
          else failed = true;
          break;
        case Op.Run: {
          const min = code[pc + 2] as number;
          const mode = code[pc + 4] as number;
          const limit = code[pc + 3] as number;
          const farthest = limit < 0 ? length : Math.min(length, at + limit);
          const reached = this.scan(code[pc + 1] as number, at, mode === 1 ? Math.min(farthest, at + min) : farthest);
          if (reached < at + min) {
            failed = true;
            break;
          }
          if (mode === 0 && reached > at + min) this.push(pc + RUN_FRAME, at + min, reached - 1, frame);
          if (mode === 1 && reached < farthest) this.push(pc + RUN_FRAME, farthest, reached, frame);
          at = reached;
          pc += WIDTH;
          break;
        }
        case Op.Backreference: {
          const reached = this.repeatGroup(code[pc + 1] as number, at);
          if (reached < 0) failed = true;
          else {
            at = reached;
            pc += WIDTH;
          }
          break;
        }
        case Op.Look: {
          const look = program.looks[code[pc + 1] as number];
          if (look !== undefined && this.look(look, at, searchAt, frame) !== look.negative) pc = look.next;
          else failed = true;
          break;
        }
        case Op.Atomic: {
          const before = this.slots.slice();
          const saved = this.top;
          if (this.sub(code[pc + 1] as number, at, searchAt, -1, frame)) {
            this.top = saved;
            this.keepChanges(before);
            at = this.end;
            pc = code[pc + 2] as number;
          } else failed = true;
          break;
        }
        case Op.SubMatch:
          if (wantedEnd < 0 || at === wantedEnd) {
            this.end = at;
            return true;
          }
          failed = true;
          break;
        case Op.Keep:
          this.setSlot(0, at);
          pc += WIDTH;
          break;
        case Op.Call:
          if (this.frames.length >= MAX_CALLS) throw new RegexError('subexp-call-limit-in-search over');
          frame = this.frames.push({ back: pc + WIDTH, parent: frame, group: code[pc + 2] as number }) - 1;
          pc = code[pc + 1] as number;
          break;
        case Op.Return: {
          const caller = frame < 0 ? undefined : this.frames[frame];
          if (caller === undefined || caller.group !== code[pc + 1]) pc += WIDTH;
          else {
            pc = caller.back;
            frame = caller.parent;
          }
          break;
        }
        case Op.Condition:
          pc = (this.slots[2 * (code[pc + 1] as number) + 1] ?? -1) >= 0 ? pc + WIDTH : (code[pc + 2] as number);
          break;
        case Op.RoundStart:
          if (this.checksRounds) this.setSlot(code[pc + 1] as number, at);
          pc += WIDTH;
          break;
        case Op.RoundCheck:
          pc = this.checksRounds && this.slots[code[pc + 1] as number] === at ? (code[pc + 2] as number) : pc + WIDTH;
          break;
        default: {
          if (program.notEmpty && at === startAt) {
            failed = true;
            break;
          }
          if (!program.longest) {
            if ((this.slots[0] ?? -1) < 0) this.slots[0] = startAt;
            this.slots[1] = at;
            return true;
          }
          this.rememberLongest(startAt, at);
          failed = true;
        }
      }
      if (!failed) continue;

      // Backtrack: restore slots until a choice is found.
      const { stack } = this;
      for (;;) {
        if (this.top === base) return false;
        this.top -= 4;
        const tag = stack[this.top] as number;
        if (tag < 0) {
          this.slots[-1 - tag] = stack[this.top + 1] as number;
          continue;
        }
        frame = stack[this.top + 3] as number;
        if (tag % WIDTH !== RUN_FRAME) {
          pc = tag;
          at = stack[this.top + 1] as number;
          break;
        }
        const run = tag - RUN_FRAME;
        const bound = stack[this.top + 1] as number;
        at = stack[this.top + 2] as number;
        if (code[run + 4] === 0) {
          // Greedy: give back one; straight to where the literal that follows can be, if one follows.
          const next = code[run + WIDTH] === Op.Char ? (code[run + WIDTH + 1] as number) : -1;
          if (next >= 0) {
            const before = at;
            while (at >= bound && (points === undefined ? source.charCodeAt(at) : points[at]) !== next) at--;
            this.steps += (before - at) >> 2;
            if (at < bound) continue;
          }
          if (at > bound) this.push(tag, bound, at - 1, frame);
        } else {
          // Lazy: take one more.
          if (this.scan(code[run + 1] as number, at, at + 1) === at) continue;
          at++;
          if (at < bound) this.push(tag, bound, at, frame);
        }
        pc = run + WIDTH;
        break;
      }
    }
  }

  private scan(setIndex: number, from: number, to: number): number {
    const set = this.program.sets[setIndex];
    if (set === undefined) return from;
    const { ascii } = set;
    const { source, points } = this.text;
    let at = from;
    while (at < to) {
      const c = points === undefined ? source.charCodeAt(at) : (points[at] ?? 0);
      if (c < 128 ? ascii[c] !== 1 : !set.other(c)) break;
      at++;
    }
    this.steps += (at - from) >> 2;
    return at;
  }

  private sub(pc: number, at: number, searchAt: number, wantedEnd: number, call: number): boolean {
    if (++this.subDepth > MAX_SUB_DEPTH) throw new RegexError('never ending recursion');
    const matched = this.run(pc, at, searchAt, wantedEnd, call);
    this.subDepth--;
    return matched;
  }

  /** Re-records what a finished body changed, now that its own undo frames are dropped. */
  private keepChanges(before: Int32Array): void {
    for (let slot = 0; slot < before.length; slot++) {
      const old = before[slot] ?? -1;
      if (this.slots[slot] !== old) this.push(-1 - slot, old, 0, 0);
    }
  }

  private look(look: Look, at: number, searchAt: number, call: number): boolean {
    const before = this.slots.slice();
    const saved = this.top;
    const farthest = look.behind ? Math.min(at, look.max) : 0;
    for (let back = look.behind ? look.min : 0; back <= farthest; back++) {
      if (!this.sub(look.start, at - back, searchAt, look.behind ? at : -1, call)) continue;
      if (look.negative) this.unwind(saved);
      else {
        this.top = saved;
        this.keepChanges(before);
      }
      return true;
    }
    return false;
  }

  private repeatGroup(index: number, at: number): number {
    const reference = this.program.backreferences[index];
    if (reference === undefined) return -1;
    for (const group of reference.groups) {
      const start = this.slots[2 * group] ?? -1;
      const end = this.slots[2 * group + 1] ?? -1;
      if (start < 0 || end < start || at + end - start > this.text.length) continue;
      this.steps += (end - start) >> 2;
      let same = true;
      for (let offset = 0; same && offset < end - start; offset++) {
        const left = this.codeAt(start + offset);
        const right = this.codeAt(at + offset);
        same = left === right || (reference.fold && foldCase(left) === foldCase(right));
      }
      if (same) return at + end - start;
    }
    return -1;
  }

  private codeAt(at: number): number {
    const { source, points } = this.text;
    return points === undefined ? source.charCodeAt(at) : (points[at] ?? 0);
  }

  private holds(assertion: number, at: number): boolean {
    const { length } = this.text;
    switch (assertion) {
      case 0:
        return at === 0;
      case 1:
        return at === length;
      case 2:
        return at === length || (at === length - 1 && this.codeAt(at) === 10);
      case 3:
        return at === 0 || (at < length && this.codeAt(at - 1) === 10);
      case 4:
        return at === length || this.codeAt(at) === 10;
      case 7:
        return at === this.from;
      default: {
        const before = at > 0 && contains(WORD, this.codeAt(at - 1));
        const after = at < length && contains(WORD, this.codeAt(at));
        return (before !== after) === (assertion === 5);
      }
    }
  }

  /** UTF-8 bytes between two positions: Oniguruma compares the lengths of matches in bytes. */
  private bytes(start: number, end: number): number {
    let count = 0;
    for (let at = start; at < end; at++) {
      const code = this.codeAt(at);
      count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    }
    this.steps += (end - start) >> 2;
    return count;
  }

  private rememberLongest(start: number, end: number): void {
    const kept = (this.slots[0] ?? -1) < 0 ? start : (this.slots[0] ?? start);
    const width = this.bytes(kept, end);
    if (this.best !== undefined && this.bestWidth >= width) return;
    this.bestWidth = width;
    this.best = this.slots.slice();
    this.best[0] = kept;
    this.best[1] = end;
  }
}

export const isGearChange = (error: unknown): boolean => error === CHANGE_GEAR;
