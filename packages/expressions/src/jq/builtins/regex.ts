import { type Value, type ValueObject, writeKey } from '../../json.ts';
import { compileRegex, type Regex, RegexError, type RegexMatch } from '../../regex/index.ts';
import type { Ast } from '../ast.ts';
import { BudgetExceeded, JqError, type Span } from '../errors.ts';
import { type Filter, type Frame, many, type Signal, single } from '../filter.ts';
import type { Machine } from '../machine.ts';
import { codePointLength, described, kindName, sliceCodePoints, typeError } from '../values.ts';
import { type Builtin, type Builtins, combinations } from './define.ts';

/** The machine as the regex engine's budget: its own allowance, in the same spirit as steps. */
function budgetOf(machine: Machine): { step(count: number): void } {
  return {
    step(count) {
      machine.regexSteps -= count;
      if (machine.regexSteps < 0) {
        throw new BudgetExceeded('regexSteps', machine.budget.regexSteps ?? machine.budget.steps);
      }
    },
  };
}

interface Search {
  text: string;
  regex: Regex;
  global: boolean;
}

function prepare(machine: Machine, input: Value, pattern: Value, flags: Value): Search {
  if (typeof input !== 'string') throw typeError(input, 'cannot be matched, as it is not a string');
  if (typeof pattern !== 'string') throw typeError(pattern, 'is not a string');
  if (flags !== null && typeof flags !== 'string') throw typeError(flags, 'is not a string');
  const letters = flags ?? '';
  if (!/^[gimxspln]*$/.test(letters)) throw new JqError(`${letters} is not a valid modifier string`, 'regex');
  machine.step(16 + (input.length >> 5));
  try {
    return { text: input, regex: compileRegex(pattern, letters, budgetOf(machine)), global: letters.includes('g') };
  } catch (error) {
    throw regexFailure(error);
  }
}

function regexFailure(error: unknown): unknown {
  if (!(error instanceof RegexError)) return error;
  const message = error.message.startsWith('Regex failure') ? error.message : `Regex failure: ${error.message}`;
  return new JqError(message, 'regex');
}

/** All matches, in order; after an empty one the search goes on one character further. */
function eachMatch(machine: Machine, search: Search, use: (match: RegexMatch) => Signal): Signal {
  const length = codePointLength(search.text);
  let from = 0;
  do {
    let match: RegexMatch | null;
    try {
      match = search.regex.exec(search.text, from);
    } catch (error) {
      throw regexFailure(error);
    }
    if (match === null) return undefined;
    machine.step(4 + match.groups.length);
    const signal = use(match);
    if (signal !== undefined) return signal;
    from = match.end === match.start ? match.end + 1 : match.end;
  } while (search.global && from <= length);
  return undefined;
}

function matchObject(machine: Machine, search: Search, match: RegexMatch): ValueObject {
  const { text, regex } = search;
  const captures: Value[] = match.groups.map((group, at) => {
    machine.allocate(160);
    const name = regex.groupNames[at] ?? null;
    if (group === null) return { offset: -1, length: 0, string: null, name };
    const string = sliceCodePoints(text, group.start, group.end);
    machine.allocateString(string.length);
    return { offset: group.start, length: group.end - group.start, string, name };
  });
  machine.allocate(160);
  const string = sliceCodePoints(text, match.start, match.end);
  machine.allocateString(string.length);
  return { offset: match.start, length: match.end - match.start, string, captures };
}

/** The named groups of a match; of several groups with one name, the last counts. */
function namedCaptures(machine: Machine, search: Search, match: RegexMatch): ValueObject {
  const object: ValueObject = {};
  machine.allocateObject(match.groups.length);
  match.groups.forEach((group, at) => {
    const name = search.regex.groupNames[at] ?? null;
    if (name === null) return;
    writeKey(object, name, group === null ? null : sliceCodePoints(search.text, group.start, group.end));
  });
  return object;
}

type Use = (frame: Frame, search: Search, match: RegexMatch) => Value;

/** `match`-like functions: pattern and flags may also come as one array, as the only argument. */
function matching(use: Use, extraFlags: string): Builtin {
  return perSearch(extraFlags, (frame, search, emit) =>
    eachMatch(frame.machine, search, (match) => emit(use(frame, search, match))),
  );
}

function perSearch(
  extraFlags: string,
  go: (frame: Frame, search: Search, emit: (value: Value) => Signal) => Signal,
  firstSlowest = false,
): Builtin {
  return (compiler, args, span, context) => {
    const filters = args.map((arg) => compiler.inner(arg, context));
    return many((frame, input, emit) =>
      combinations(frame, input, filters, firstSlowest, (values) => {
        frame.machine.at = span;
        const [pattern, flags] = patternAndFlags(values);
        return go(frame, prepare(frame.machine, input, pattern, withFlags(flags, extraFlags)), emit);
      }),
    );
  };
}

function withFlags(flags: Value, extra: string): Value {
  if (extra === '') return flags;
  if (flags === null) return extra;
  if (typeof flags !== 'string') {
    throw new JqError(`${kindName(flags)} cannot be added to a string of flags`, 'type');
  }
  return extra + flags;
}

function patternAndFlags(values: Value[]): [Value, Value] {
  const [first = null, second] = values;
  if (second !== undefined) return [first, second];
  if (typeof first === 'string') return [first, null];
  if (Array.isArray(first) && first.length > 0) return [first[0] ?? null, first[1] ?? null];
  throw new JqError(`${kindName(first)} not a string or array`, 'type');
}

function test(): Builtin {
  return perSearch('', (frame, search, emit) => {
    let found = false;
    const signal = eachMatch(frame.machine, { ...search, global: false }, () => {
      found = true;
      return undefined;
    });
    return signal ?? emit(found);
  });
}

function scanned(frame: Frame, search: Search, match: RegexMatch): Value {
  const { machine } = frame;
  if (match.groups.length === 0) {
    machine.allocateString(match.end - match.start);
    return sliceCodePoints(search.text, match.start, match.end);
  }
  machine.allocateArray(match.groups.length);
  return match.groups.map((group) => (group === null ? null : sliceCodePoints(search.text, group.start, group.end)));
}

/** The parts of a text between the matches of a pattern. */
function splitBy(frame: Frame, search: Search, emit: (value: Value) => Signal): Signal {
  let from = 0;
  const { machine } = frame;
  const part = (to: number): Signal => {
    machine.allocateString(to - from);
    return emit(sliceCodePoints(search.text, from, to));
  };
  const signal = eachMatch(machine, { ...search, global: true }, (match) => {
    const inner = part(match.start);
    from = match.end;
    return inner;
  });
  return signal ?? part(codePointLength(search.text));
}

/**
 * `sub(re; replacement; flags)`: the replacement sees the named captures. With several outputs of the replacement
 * there are as many results: the first uses the first output everywhere, and so on.
 */
function substitute(
  frame: Frame,
  search: Search,
  replacement: Filter,
  emit: (value: Value) => Signal,
  span: Span,
): Signal {
  const { machine } = frame;
  const results: string[] = [];
  let previous = 0;
  const signal = eachMatch(machine, search, (match) => {
    const gap = sliceCodePoints(search.text, previous, match.start);
    let at = 0;
    const inner = replacement.run(frame, namedCaptures(machine, search, match), (value) => {
      if (typeof value !== 'string' && value !== null) {
        machine.at = span;
        throw new JqError(`${described((results[at] ?? '') + gap)} and ${described(value)} cannot be added`, 'type');
      }
      const longer = (results[at] ?? '') + gap + (value ?? '');
      machine.allocateString(longer.length);
      results[at++] = longer;
      return undefined;
    });
    previous = match.end;
    return inner;
  });
  if (signal !== undefined) return signal;
  const rest = sliceCodePoints(search.text, previous, Number.MAX_SAFE_INTEGER);
  if (results.length === 0) return emit(search.text);
  for (const result of results) {
    machine.allocateString(result.length + rest.length);
    const inner = emit(result + rest);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function sub(extraFlags: string): Builtin {
  return (compiler, args, span, context) => {
    const pattern = compiler.inner(args[0] as Ast, context);
    const replacement = compiler.inner(args[1] as Ast, context, null);
    const flags = args[2] === undefined ? single(() => null) : compiler.inner(args[2], context);
    return many((frame, input, emit) =>
      combinations(frame, input, [pattern, flags], true, (values) => {
        frame.machine.at = span;
        const letters = withFlags(values[1] as Value, extraFlags);
        return substitute(frame, prepare(frame.machine, input, values[0] as Value, letters), replacement, emit, span);
      }),
    );
  };
}

const split: Builtin = (compiler, args, span, context) => {
  const parts = perSearch('g', splitBy, true)(compiler, args, span, context);
  return collected(parts);
};

function collected(filter: Filter): Filter {
  return many((frame, input, emit) => {
    const items: Value[] = [];
    // One array per combination of arguments would need the loop inside; jq collects over all of them too.
    const signal = filter.run(frame, input, (value) => {
      frame.machine.allocate(8);
      items.push(value);
      return undefined;
    });
    return signal ?? emit(items);
  });
}

const matchUse: Use = (frame, search, match) => matchObject(frame.machine, search, match);
const captureUse: Use = (frame, search, match) => namedCaptures(frame.machine, search, match);

export const REGEX: Builtins = {
  'match/1': matching(matchUse, ''),
  'match/2': matching(matchUse, ''),
  'capture/1': matching(captureUse, ''),
  'capture/2': matching(captureUse, ''),
  'scan/1': matching(scanned, 'g'),
  'scan/2': matching(scanned, 'g'),
  'test/1': test(),
  'test/2': test(),
  'splits/1': perSearch('g', splitBy),
  'splits/2': perSearch('g', splitBy, true),
  'split/2': split,
  'sub/2': sub(''),
  'sub/3': sub(''),
  'gsub/2': sub('g'),
  'gsub/3': sub('g'),
};
