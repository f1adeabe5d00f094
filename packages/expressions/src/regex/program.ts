import { anchorOf, firstOf, isLiteral, mentionsCall, prefixOf, widthsOf } from './analyse.ts';
import { type CharSet, foldCase } from './charset.ts';
import { type Assertion, type Node, type ParsedPattern, RegexError } from './syntax.ts';

/**
 * The compiled form: instructions of five integers (op, a, b, c, d) in one Int32Array.
 *
 * Two programs exist per pattern. The quick one turns `x*` over a single character into one RUN instruction; the
 * memoised one spells every repetition as SPLITs, because its promise (each SPLIT is tried once per position) only
 * covers SPLITs.
 */
export const Op = {
  /** a = code point. */
  Char: 0,
  /** a = folded code point. */
  CharFold: 1,
  /** a = index into `sets`. */
  Set: 2,
  /** a = preferred target, b = the other. */
  Split: 3,
  Jump: 4,
  /** a = slot. */
  Save: 5,
  /** a = index into ASSERTIONS. */
  Assert: 6,
  /** a = index into `sets`, b = min, c = max (-1: none), d = 0 greedy, 1 lazy, 2 possessive. */
  Run: 7,
  /** a = index into `backreferences`. */
  Backreference: 8,
  /** a = index into `looks`, continues behind it. */
  Look: 9,
  /** a = first instruction of the body, b = where to continue. */
  Atomic: 10,
  /** Ends the body of a Look or an Atomic. */
  SubMatch: 11,
  Keep: 12,
  /** a = target, b = its group; returns to the next instruction. */
  Call: 13,
  /** Ends group a where it is called; falls through when the innermost call is not to it. */
  Return: 14,
  /** a = group, b = where to go when it has not matched. */
  Condition: 15,
  /** a = slot that keeps where this round of a loop began. */
  RoundStart: 16,
  /** a = the same slot, b = exit taken when the round consumed nothing. */
  RoundCheck: 17,
  Match: 18,
} as const;

export const WIDTH = 5;
const ASSERTIONS: readonly Assertion[] = [
  'textStart',
  'textEnd',
  'textEndOrFinalNewline',
  'lineStart',
  'lineEnd',
  'wordBoundary',
  'notWordBoundary',
  'searchStart',
];

export interface Look {
  start: number;
  next: number;
  behind: boolean;
  negative: boolean;
  /** Widths of a look-behind in code points; `max` may be infinite. */
  min: number;
  max: number;
}

export interface Program {
  code: Int32Array;
  sets: CharSet[];
  looks: Look[];
  backreferences: { groups: number[]; fold: boolean }[];
  groupNames: (string | null)[];
  /** Two per group, group 0 included, then one per loop that may consume nothing. */
  slotCount: number;
  notEmpty: boolean;
  longest: boolean;
  /** Whether failing at (instruction, position) is independent of how one got there. */
  memoizable: boolean;
  /** Slots from this one on are RoundStart's. */
  firstRound: number;
  /** A match can only begin at the start of the text, or where the search starts. */
  anchor: 'textStart' | 'searchStart' | undefined;
  /** Every match begins with this; '' when unknown. */
  prefix: string;
  /** The prefix is the whole pattern. */
  isLiteral: boolean;
  /** Which ASCII characters may begin a match, one more entry for all others; undefined when a match may be empty. */
  first: Uint8Array | undefined;
}

/** Programs larger than this are refused: counted repetition multiplies (`((a{99}){99}){99}`). */
export const MAX_INSTRUCTIONS = 60_000;

export function buildProgram(pattern: ParsedPattern, spellRuns: boolean): Program {
  return new Builder(pattern, spellRuns).build();
}

class Builder {
  private readonly words: number[] = [];
  private readonly sets: CharSet[] = [];
  private readonly looks: Look[] = [];
  private readonly backreferences: { groups: number[]; fold: boolean }[] = [];
  private readonly groupStarts: number[] = [];
  private readonly calls: { at: number; group: number }[] = [];
  private readonly pattern: ParsedPattern;
  private readonly spellRuns: boolean;
  private readonly called: boolean;
  private memoizable = true;
  private slots: number;

  constructor(pattern: ParsedPattern, spellRuns: boolean) {
    this.pattern = pattern;
    this.spellRuns = spellRuns;
    this.slots = 2 * (pattern.groupNames.length + 1);
    this.called = mentionsCall(pattern.root);
  }

  build(): Program {
    const { pattern } = this;
    this.groupStarts[0] = 0;
    this.emitNode(pattern.root);
    if (this.called) this.emit(Op.Return, 0);
    this.emit(Op.Match);
    for (const call of this.calls) {
      const target = this.groupStarts[call.group];
      if (target === undefined) throw new RegexError('undefined group reference');
      this.patch(call.at, 1, target);
    }
    const anchor = anchorOf(pattern.root);
    return {
      code: Int32Array.from(this.words),
      sets: this.sets,
      looks: this.looks,
      backreferences: this.backreferences,
      groupNames: pattern.groupNames,
      slotCount: this.slots,
      firstRound: 2 * (pattern.groupNames.length + 1),
      notEmpty: pattern.notEmpty,
      longest: pattern.longest,
      memoizable: this.memoizable,
      anchor,
      prefix: prefixOf(pattern.root),
      isLiteral: isLiteral(pattern.root),
      first: firstOf(pattern.root),
    };
  }

  private emit(op: number, a = 0, b = 0, c = 0, d = 0): number {
    if (this.words.length >= MAX_INSTRUCTIONS * WIDTH)
      throw new RegexError('too large after its repetitions are written out');
    return this.words.push(op, a, b, c, d) - WIDTH;
  }

  private get here(): number {
    return this.words.length;
  }

  private patch(at: number, field: 1 | 2, value: number): void {
    this.words[at + field] = value;
  }

  private emitNode(node: Node): void {
    switch (node.kind) {
      case 'char':
        this.emit(node.fold ? Op.CharFold : Op.Char, node.code);
        return;
      case 'set':
        this.emit(Op.Set, this.sets.push(node.set) - 1);
        return;
      case 'sequence':
        for (const item of node.items) this.emitNode(item);
        return;
      case 'alternatives':
        this.emitAlternatives(node.items);
        return;
      case 'repeat':
        this.emitRepeat(node);
        return;
      case 'group':
        this.groupStarts[node.index] ??= this.here;
        this.emit(Op.Save, 2 * node.index);
        this.emitNode(node.body);
        this.emit(Op.Save, 2 * node.index + 1);
        if (this.called) this.emit(Op.Return, node.index);
        return;
      case 'assertion':
        this.emit(Op.Assert, ASSERTIONS.indexOf(node.what));
        return;
      case 'look':
        this.emitLook(node);
        return;
      case 'atomic':
        this.emitAtomic(node.body);
        return;
      case 'backreference':
        this.memoizable = false;
        this.emit(Op.Backreference, this.backreferences.push({ groups: node.groups, fold: node.fold }) - 1);
        return;
      case 'call':
        this.memoizable = false;
        this.calls.push({ at: this.emit(Op.Call, 0, node.group), group: node.group });
        return;
      case 'condition': {
        this.memoizable = false;
        const test = this.emit(Op.Condition, node.group);
        this.emitNode(node.yes);
        const jump = this.emit(Op.Jump);
        this.patch(test, 2, this.here);
        this.emitNode(node.no);
        this.patch(jump, 1, this.here);
        return;
      }
      case 'keep':
        this.emit(Op.Keep);
        return;
    }
  }

  private emitAlternatives(items: readonly Node[]): void {
    const jumps: number[] = [];
    items.forEach((item, index) => {
      if (index === items.length - 1) {
        this.emitNode(item);
        return;
      }
      const split = this.emit(Op.Split);
      this.patch(split, 1, this.here);
      this.emitNode(item);
      jumps.push(this.emit(Op.Jump));
      this.patch(split, 2, this.here);
    });
    for (const jump of jumps) this.patch(jump, 1, this.here);
  }

  private emitAtomic(body: Node): void {
    this.memoizable = false;
    const atomic = this.emit(Op.Atomic);
    this.patch(atomic, 1, this.here);
    this.emitNode(body);
    this.emit(Op.SubMatch);
    this.patch(atomic, 2, this.here);
  }

  private emitLook(node: Node & { kind: 'look' }): void {
    this.memoizable = false;
    const widths = node.behind ? widthsOf(node.body) : { min: 0, max: 0 };
    const look: Look = { start: 0, next: 0, behind: node.behind, negative: node.negative, ...widths };
    this.emit(Op.Look, this.looks.push(look) - 1);
    look.start = this.here;
    this.emitNode(node.body);
    this.emit(Op.SubMatch);
    look.next = this.here;
  }

  private emitRepeat(node: Node & { kind: 'repeat' }): void {
    const { body, min, max, mode } = node;
    if (max === 0) {
      // `(?<name>…){0}` is how a group is defined only to be called.
      if (!this.called) return;
      const skip = this.emit(Op.Jump);
      this.emitNode(body);
      this.patch(skip, 1, this.here);
      return;
    }
    if ((body.kind === 'set' || body.kind === 'char') && !this.spellRuns) {
      const set: CharSet = body.kind === 'set' ? body.set : charSet(body.code, body.fold);
      const limit = max === Number.POSITIVE_INFINITY ? -1 : max;
      this.emit(Op.Run, this.sets.push(set) - 1, min, limit, mode === 'greedy' ? 0 : mode === 'lazy' ? 1 : 2);
      return;
    }
    if (mode === 'possessive') {
      this.emitAtomic({ ...node, mode: 'greedy' });
      return;
    }
    const lazy = mode === 'lazy';
    // A body that consumes nothing matches any number of times as soon as it matches once.
    const required = widthsOf(body).max === 0 ? Math.min(min, 1) : min;
    for (let count = 0; count < required; count++) this.emitNode(body);
    if (max === Number.POSITIVE_INFINITY) this.emitLoop(body, lazy);
    else this.emitOptional(body, max - min, lazy);
  }

  /**
   * `x*` in the shape "enter? ( body again? )". A round that consumed nothing leaves the loop by its exit (RoundCheck),
   * and what it captured stays, as in Oniguruma.
   */
  private emitLoop(body: Node, lazy: boolean): void {
    const enter = this.emit(Op.Split);
    const start = this.here;
    const mayBeEmpty = widthsOf(body).min === 0;
    const slot = mayBeEmpty ? this.slots++ : -1;
    if (mayBeEmpty) this.emit(Op.RoundStart, slot);
    this.emitNode(body);
    const check = mayBeEmpty ? this.emit(Op.RoundCheck, slot) : -1;
    const again = this.emit(Op.Split);
    for (const split of [enter, again]) {
      this.patch(split, lazy ? 2 : 1, start);
      this.patch(split, lazy ? 1 : 2, this.here);
    }
    if (check >= 0) this.patch(check, 2, this.here);
  }

  private emitOptional(body: Node, count: number, lazy: boolean): void {
    const splits: number[] = [];
    for (let index = 0; index < count; index++) {
      const split = this.emit(Op.Split);
      this.patch(split, lazy ? 2 : 1, this.here);
      splits.push(split);
      this.emitNode(body);
    }
    for (const split of splits) this.patch(split, lazy ? 1 : 2, this.here);
  }
}

function charSet(code: number, fold: boolean): CharSet {
  const matches = (other: number) => (fold ? foldCase(other) === code : other === code);
  const ascii = new Uint8Array(128);
  for (let index = 0; index < 128; index++) ascii[index] = matches(index) ? 1 : 0;
  return { ascii, other: matches };
}
