import { readBracket, readClassEscape } from './bracket.ts';
import { ANY, type CharSet, foldCase, hostSet, NOT_NEWLINE, negate } from './charset.ts';
import { codeOf, escapedCode, Reader } from './escapes.ts';
import { type Assertion, MAX_NESTING, MAX_REPEAT, type Node, type ParsedPattern, RegexError } from './syntax.ts';

interface Options {
  ignoreCase: boolean;
  extended: boolean;
  dotAll: boolean;
  /** `^` and `$` mean the text, not the line. jq's default; `(?m)` turns it off. */
  wholeText: boolean;
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'textStart',
  z: 'textEnd',
  Z: 'textEndOrFinalNewline',
  b: 'wordBoundary',
  B: 'notWordBoundary',
  G: 'searchStart',
};
const LINE_BREAK = hostSet('\\n\\u000b\\f\\r\\u0085\\u2028\\u2029');
const MARK = hostSet('\\p{M}\\u200d\\ufe0f');
/** `a+*?+…`: each quantifier nests the ones before it. */
const MAX_STACKED_QUANTIFIERS = 10;
const NAME_CHAR = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u;

const char = (code: number, fold = false): Node => ({ kind: 'char', code: fold ? foldCase(code) : code, fold });
const setOf = (set: CharSet): Node => ({ kind: 'set', set });
const repeat = (body: Node, min: number, max: number): Node => ({ kind: 'repeat', body, min, max, mode: 'greedy' });

/**
 * Parses a pattern in the syntax jq gives to Oniguruma (Perl with named groups; both named and numbered groups
 * capture). `flags` are jq's: i, x, s, m, p, l, n; g belongs to the caller. Throws RegexError in Oniguruma's words.
 */
export function parsePattern(pattern: string, flags: string): ParsedPattern {
  const options: Options = { ignoreCase: false, extended: false, dotAll: false, wholeText: true };
  let longest = false;
  let notEmpty = false;
  for (const flag of flags) {
    if (flag === 'i') options.ignoreCase = true;
    else if (flag === 'x') options.extended = true;
    else if (flag === 'm' || flag === 'p') options.dotAll = true;
    else if (flag === 'l') longest = true;
    else if (flag === 'n') notEmpty = true;
    else if (flag !== 's' && flag !== 'g') throw new RegexError(`${flags} is not a valid modifier string`);
  }
  const parser = new PatternParser(pattern, options);
  const root = parser.parse();
  return { root, groupNames: parser.groupNames, longest, notEmpty };
}

class PatternParser {
  readonly groupNames: (string | null)[] = [];
  private readonly reader: Reader;
  private options: Options;
  private depth = 0;
  /** References are resolved when every group is known: `\k<later>(?<later>…)` is legal. */
  private readonly pending: (() => void)[] = [];

  constructor(pattern: string, options: Options) {
    this.reader = new Reader(pattern);
    this.options = options;
  }

  parse(): Node {
    const root = this.alternatives();
    if (!this.reader.done) throw new RegexError('unmatched close parenthesis');
    for (const resolve of this.pending) resolve();
    return root;
  }

  /** Reads up to a `)` or the end. Options set inside a branch end with the branch. */
  private alternatives(): Node {
    if (++this.depth > MAX_NESTING) throw new RegexError('parse depth limit over');
    const outer = this.options;
    const items: Node[] = [];
    for (;;) {
      this.options = outer;
      items.push(this.sequence());
      if (!this.reader.eat('|')) break;
    }
    this.options = outer;
    this.depth--;
    return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'alternatives', items };
  }

  private sequence(): Node {
    const items: Node[] = [];
    for (;;) {
      const next = this.reader.peek();
      if (next === undefined || next === '|' || next === ')') break;
      const atom = this.atom();
      if (atom === undefined) continue;
      if (Array.isArray(atom)) items.push(...atom);
      else items.push(this.quantified(atom));
    }
    return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'sequence', items };
  }

  /** Skips what `x` ignores; a comment group may stand between an atom and its quantifier too. */
  private skipBlank(): boolean {
    const { reader } = this;
    if (reader.peek() === '(' && reader.peek(1) === '?' && reader.peek(2) === '#') {
      reader.at += 3;
      for (;;) {
        if (reader.done) throw new RegexError('end pattern in group');
        const skipped = reader.next();
        if (skipped === ')') return true;
        if (skipped === '\\' && !reader.done) reader.at++;
      }
    }
    if (!this.options.extended) return false;
    const next = reader.peek();
    if (next !== undefined && ' \t\n\r\f'.includes(next)) {
      reader.at++;
      return true;
    }
    if (next !== '#') return false;
    while (!reader.done && reader.next() !== '\n');
    return true;
  }

  private quantified(atom: Node): Node {
    let node = atom;
    for (let stacked = 0; ; stacked++) {
      while (this.skipBlank());
      const range = this.quantifier();
      if (range === undefined) return node;
      const mode = this.reader.eat('?') ? 'lazy' : this.reader.eat('+') ? 'possessive' : 'greedy';
      if (stacked >= MAX_STACKED_QUANTIFIERS) throw new RegexError('parse depth limit over');
      node = { kind: 'repeat', body: node, min: range.min, max: range.max, mode };
    }
  }

  private quantifier(): { min: number; max: number } | undefined {
    const { reader } = this;
    if (reader.eat('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (reader.eat('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (reader.eat('?')) return { min: 0, max: 1 };
    if (reader.peek() !== '{') return undefined;
    const start = reader.at;
    reader.at++;
    const low = reader.digits(10, 20);
    const comma = reader.eat(',');
    const high = comma ? reader.digits(10, 20) : low;
    if (low === '' || !reader.eat('}')) {
      reader.at = start;
      return undefined;
    }
    const min = Number(low);
    const max = high === '' ? Number.POSITIVE_INFINITY : Number(high);
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT)) {
      throw new RegexError('too big number for repeat range');
    }
    if (max < min) throw new RegexError('upper is smaller than lower in repeat range');
    return { min, max };
  }

  /** One atom; several when a quotation spells them; undefined when nothing was left of it (comments, options). */
  private atom(): Node | Node[] | undefined {
    if (this.skipBlank()) return undefined;
    const { reader, options } = this;
    const next = reader.next();
    switch (next) {
      case '(':
        return this.group();
      case '[':
        return setOf(readBracket(reader, options.ignoreCase));
      case '.':
        return setOf(options.dotAll ? ANY : NOT_NEWLINE);
      case '^':
        return { kind: 'assertion', what: options.wholeText ? 'textStart' : 'lineStart' };
      case '$':
        return { kind: 'assertion', what: options.wholeText ? 'textEndOrFinalNewline' : 'lineEnd' };
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        throw new RegexError('target of repeat operator is not specified');
      case '{': {
        reader.at--;
        if (this.quantifier() !== undefined) throw new RegexError('target of repeat operator is not specified');
        reader.at++;
        return char(123);
      }
      default:
        return char(codeOf(next), options.ignoreCase);
    }
  }

  private escape(): Node | Node[] | undefined {
    const { reader, options } = this;
    const letter = reader.next();
    const member = readClassEscape(reader, letter);
    if (member !== undefined) {
      if (!('set' in member)) return undefined;
      return setOf(member.negated ? negate(member.set) : member.set);
    }
    const what = ASSERTIONS[letter];
    if (what !== undefined) return { kind: 'assertion', what };
    if (letter === 'K') return { kind: 'keep' };
    if (letter === 'N') return setOf(NOT_NEWLINE);
    if (letter === 'O') return setOf(ANY);
    if (letter === 'R') return atomicNewline();
    if (letter === 'X') return cluster();
    if (letter === 'Q') return this.quotation();
    if ((letter === 'k' || letter === 'g') && (reader.peek() === '<' || reader.peek() === "'")) {
      const close = reader.next() === '<' ? '>' : "'";
      const name = this.untilClose(close);
      return letter === 'k' ? this.backreference(name) : this.call(name);
    }
    if (letter >= '1' && letter <= '9') {
      const start = reader.at;
      reader.at--;
      const number = Number(reader.digits(10, 6));
      if (number <= 9 || number <= this.groupNames.length) return this.backreference(String(number));
      reader.at = start;
      if (letter >= '8') return char(codeOf(letter), options.ignoreCase);
    }
    return char(escapedCode(reader, letter), options.ignoreCase);
  }

  private quotation(): Node[] {
    const items: Node[] = [];
    while (!this.reader.done && !this.reader.eat('\\E'))
      items.push(char(codeOf(this.reader.next()), this.options.ignoreCase));
    return items;
  }

  private untilClose(close: string): string {
    let name = '';
    while (!this.reader.done && this.reader.peek() !== close) name += this.reader.next();
    if (!this.reader.eat(close)) throw new RegexError(`invalid group name <${name}>`);
    if (name === '') throw new RegexError('group name is empty');
    return name;
  }

  /** Group numbers a reference means. Relative numbers count from where the reference stands. */
  private groupsOf(reference: string, standing: number): number[] {
    const number = /^([+-]?)(\d+)$/.exec(reference);
    if (number === null) {
      const groups = this.groupNames.flatMap((name, index) => (name === reference ? [index + 1] : []));
      if (groups.length === 0) throw new RegexError(`undefined name <${reference}> reference`);
      return groups;
    }
    const value = Number(number[2]);
    const group = number[1] === '-' ? standing + 1 - value : number[1] === '+' ? standing + value : value;
    if (group < 0 || group > this.groupNames.length) throw new RegexError('invalid backref number/name');
    return [group];
  }

  private backreference(reference: string): Node {
    const node: Node = { kind: 'backreference', groups: [], fold: this.options.ignoreCase };
    const standing = this.groupNames.length;
    this.pending.push(() => {
      const groups = this.groupsOf(reference, standing);
      if (groups.includes(0)) throw new RegexError('invalid backref number/name');
      node.groups = groups.reverse();
    });
    return node;
  }

  private call(reference: string): Node {
    const node: Node = { kind: 'call', group: 0 };
    const standing = this.groupNames.length;
    this.pending.push(() => {
      const groups = this.groupsOf(reference, standing);
      if (groups.length > 1) throw new RegexError(`multiplex definition name <${reference}> call`);
      node.group = groups[0] ?? 0;
    });
    return node;
  }

  private close(node: Node): Node {
    if (!this.reader.eat(')')) throw new RegexError('end pattern with unmatched parenthesis');
    return node;
  }

  private captured(name: string | null): Node {
    this.groupNames.push(name);
    const index = this.groupNames.length;
    return this.close({ kind: 'group', index, body: this.alternatives() });
  }

  /** What follows `(`. */
  private group(): Node | undefined {
    const { reader } = this;
    if (reader.peek() === '*') throw new RegexError('(*…) callouts are not supported');
    if (!reader.eat('?')) return this.captured(null);
    if (reader.done) throw new RegexError('end pattern in group');
    const letter = reader.next();
    switch (letter) {
      case ':':
        return this.close(this.alternatives());
      case '=':
      case '!':
        return this.close({ kind: 'look', behind: false, negative: letter === '!', body: this.alternatives() });
      case '>':
        return this.close({ kind: 'atomic', body: this.alternatives() });
      case "'":
        return this.captured(this.groupName("'"));
      case '<':
        if (reader.peek() === '=' || reader.peek() === '!') {
          const negative = reader.next() === '!';
          return this.close({ kind: 'look', behind: true, negative, body: this.alternatives() });
        }
        return this.captured(this.groupName('>'));
      case '(':
        return this.condition();
      case '&':
        return this.call(this.untilClose(')'));
      case 'R':
        return this.close({ kind: 'call', group: 0 });
      case '~':
        throw new RegexError('absent groups (?~…) are not supported');
      case '{':
        throw new RegexError('(?{…}) callouts are not supported');
      default: {
        reader.at--;
        const digits = /^[+-]?\d/.test(`${letter}${reader.peek(1) ?? ''}`);
        return digits ? this.call(this.untilClose(')')) : this.optionGroup();
      }
    }
  }

  private groupName(close: string): string {
    const name = this.untilClose(close);
    if (/^\d/.test(name)) throw new RegexError(`invalid group name <${name}>`);
    if (!Array.from(name).every((part) => NAME_CHAR.test(part))) {
      throw new RegexError(`invalid char in group name <${name}>`);
    }
    return name;
  }

  /** `(?i)`, `(?i-m:…)`; the letters are Perl's: s = dot matches newline, m = `^` and `$` mean lines. */
  private optionGroup(): Node | undefined {
    const { reader } = this;
    const outer = this.options;
    const changed = { ...outer };
    let value = true;
    for (;;) {
      if (reader.done) throw new RegexError('end pattern in group');
      const letter = reader.next();
      if (letter === '-') value = false;
      else if (letter === 'i') changed.ignoreCase = value;
      else if (letter === 'x') changed.extended = value;
      else if (letter === 's') changed.dotAll = value;
      else if (letter === 'm') changed.wholeText = !value;
      else if (letter === ')') {
        this.options = changed;
        return undefined;
      } else if (letter === ':') {
        this.options = changed;
        const body = this.alternatives();
        this.options = outer;
        return this.close(body);
      } else throw new RegexError('undefined group option');
    }
  }

  /** `(?(1)yes|no)` and `(?(<name>)yes|no)`; a condition that is itself a pattern is refused. */
  private condition(): Node {
    const { reader } = this;
    const quote = reader.peek() === '<' ? '>' : reader.peek() === "'" ? "'" : undefined;
    if (quote !== undefined) reader.at++;
    const name = this.untilClose(quote ?? ')');
    if (quote !== undefined && !reader.eat(')')) throw new RegexError('invalid if-else syntax');
    if (quote === undefined && !/^[+-]?\d+$/.test(name)) throw new RegexError('invalid if-else syntax');
    const body = this.alternatives();
    const branches = body.kind === 'alternatives' ? body.items : [body];
    const [yes, no] = branches;
    if (branches.length > 2 || yes === undefined) throw new RegexError('invalid if-else syntax');
    const node: Node = { kind: 'condition', group: 0, yes, no: no ?? { kind: 'sequence', items: [] } };
    const standing = this.groupNames.length;
    this.pending.push(() => {
      node.group = this.groupsOf(name, standing)[0] ?? 0;
      if (node.group === 0) throw new RegexError('invalid backref number/name');
    });
    return this.close(node);
  }
}

/** `\R`: any line break, `\r\n` as one and never split. */
function atomicNewline(): Node {
  const pair: Node = { kind: 'sequence', items: [char(13), char(10)] };
  return { kind: 'atomic', body: { kind: 'alternatives', items: [pair, setOf(LINE_BREAK)] } };
}

/** `\X`, simplified to a character with the marks that follow it (no Hangul syllables, flags or emoji sequences). */
function cluster(): Node {
  const pair: Node = { kind: 'sequence', items: [char(13), char(10)] };
  const marked: Node = { kind: 'sequence', items: [setOf(ANY), repeat(setOf(MARK), 0, Number.POSITIVE_INFINITY)] };
  return { kind: 'atomic', body: { kind: 'alternatives', items: [pair, marked] } };
}
