import { type CharSet, hostSet } from './charset.ts';
import { codeOf, Reader } from './escapes.ts';
import { type Assertion, MAX_NESTING, MAX_REPEAT, type Node, type ParsedPattern, RegexError } from './syntax.ts';

/**
 * Patterns of JSON Schema: ECMAScript's, with the flag `u`, for the matcher that is linear or bounded. Whether a text is such
 * a pattern, the host says: it reads it in linear time and never runs it. So nothing here judges syntax, except for what
 * the matcher can not do. What a class or an escape holds, the host says, too, one character at a time.
 * Differences: a group keeps what it matched in an earlier round of a loop, which only a back-reference can tell.
 */
export function parseEcmaPattern(source: string): ParsedPattern {
  try {
    new RegExp(source, 'u');
  } catch {
    throw new RegexError('is not a regular expression');
  }
  const parser = new EcmaParser(source);
  return { root: parser.parse(), groupNames: parser.groupNames, longest: false, notEmpty: false };
}

const NOTHING: Node = { kind: 'sequence', items: [] };
const NOT_NEWLINE = hostSet('^\\n\\r\\u2028\\u2029');
const WORD = hostSet('\\w');

const setOf = (set: CharSet): Node => ({ kind: 'set', set });
const assertion = (what: Assertion): Node => ({ kind: 'assertion', what });
const wordBeside = (behind: boolean, negative: boolean): Node => ({
  kind: 'look',
  behind,
  negative,
  body: setOf(WORD),
});
/** `\b` and `\B` know only ASCII words, whatever the flag. */
const boundary = (isEdge: boolean): Node => ({
  kind: 'alternatives',
  items: [false, true].map((isBehind) => ({
    kind: 'sequence',
    items: [wordBeside(true, !isBehind), wordBeside(false, isBehind === isEdge)],
  })),
});

class EcmaParser {
  readonly groupNames: (string | null)[] = [];
  private readonly reader: Reader;
  private depth = 0;
  /** References are resolved when every group is known. */
  private readonly pending: (() => void)[] = [];

  constructor(source: string) {
    this.reader = new Reader(source);
  }

  parse(): Node {
    const root = this.alternatives();
    for (const resolve of this.pending) resolve();
    return root;
  }

  private alternatives(): Node {
    if (++this.depth > MAX_NESTING) throw new RegexError('nests too many groups');
    const items = [this.sequence()];
    while (this.reader.eat('|')) items.push(this.sequence());
    this.depth--;
    return { kind: 'alternatives', items };
  }

  private sequence(): Node {
    const items: Node[] = [];
    for (let next = this.reader.peek(); next !== undefined && next !== '|' && next !== ')'; next = this.reader.peek())
      items.push(this.quantified(this.atom()));
    return { kind: 'sequence', items };
  }

  private quantified(body: Node): Node {
    const range = this.quantifier();
    if (!range) return body;
    if ((Number.isFinite(range.max) ? range.max : range.min) > MAX_REPEAT)
      throw new RegexError(`repeats something more than ${MAX_REPEAT} times`);
    return { kind: 'repeat', body, ...range, mode: this.reader.eat('?') ? 'lazy' : 'greedy' };
  }

  private quantifier(): { min: number; max: number } | undefined {
    const { reader } = this;
    if (reader.eat('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (reader.eat('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (reader.eat('?')) return { min: 0, max: 1 };
    if (!reader.eat('{')) return undefined;
    const [min = '', max = min] = this.until('}').split(',');
    return { min: Number(min), max: max === '' ? Number.POSITIVE_INFINITY : Number(max) };
  }

  private atom(): Node {
    const { reader } = this;
    const next = reader.next();
    switch (next) {
      case '(':
        return this.group();
      case '[':
        return setOf(hostSet(this.classContent()));
      case '.':
        return setOf(NOT_NEWLINE);
      case '^':
        return assertion('textStart');
      case '$':
        return assertion('textEnd');
      case '\\':
        return this.escape();
      default:
        return { kind: 'char', code: codeOf(next), fold: false };
    }
  }

  private classContent(): string {
    let content = '';
    for (let next = this.reader.next(); next !== ']'; next = this.reader.next())
      content += next === '\\' ? next + this.reader.next() : next;
    return content;
  }

  private escape(): Node {
    const { reader } = this;
    const letter = reader.next();
    if (letter === 'b' || letter === 'B') return boundary(letter === 'b');
    if (letter === 'k') {
      reader.next();
      const name = this.until('>');
      return this.backreference(() => this.groupNames.flatMap((each, index) => (each === name ? [index + 1] : [])));
    }
    if (/[1-9]/.test(letter)) {
      const number = Number(letter + reader.digits(10, 6));
      return this.backreference(() => [number]);
    }
    return setOf(hostSet(`\\${letter}${this.escapeRest(letter)}`));
  }

  private escapeRest(letter: string): string {
    const { reader } = this;
    if (letter === 'c') return reader.next();
    if (letter === 'x') return reader.next() + reader.next();
    if (letter === 'p' || letter === 'P' || (letter === 'u' && reader.peek() === '{')) return `${this.until('}')}}`;
    if (letter !== 'u') return '';
    const first = reader.digits(16, 4);
    const isPair = /^d[89ab]/i.test(first) && reader.peek() === '\\' && reader.peek(1) === 'u';
    if (!isPair || !/^d[c-f]/i.test(`${reader.peek(2)}${reader.peek(3)}`)) return first;
    reader.at += 2;
    return `${first}\\u${reader.digits(16, 4)}`;
  }

  private until(close: string): string {
    let text = '';
    for (let next = this.reader.next(); next !== close; next = this.reader.next()) text += next;
    return text;
  }

  /** One to a group that took no part matches nothing, and so fits anywhere. */
  private backreference(groupsOf: () => number[]): Node {
    const items: Node[] = [];
    this.pending.push(() => {
      for (const group of groupsOf())
        items.push({
          kind: 'condition',
          group,
          yes: { kind: 'backreference', groups: [group], fold: false },
          no: NOTHING,
        });
    });
    return { kind: 'sequence', items };
  }

  /** What follows `(`. */
  private group(): Node {
    const { reader } = this;
    if (!reader.eat('?')) return this.captured(null);
    if (reader.eat(':')) return this.close(this.alternatives());
    for (const [mark, behind, negative] of looks)
      if (reader.eat(mark)) return this.close({ kind: 'look', behind, negative, body: this.alternatives() });
    if (reader.eat('<')) return this.captured(this.until('>'));
    throw new RegexError('sets options in a group, which is not supported');
  }

  private captured(name: string | null): Node {
    this.groupNames.push(name);
    const index = this.groupNames.length;
    return this.close({ kind: 'group', index, body: this.alternatives() });
  }

  private close(node: Node): Node {
    this.reader.eat(')');
    return node;
  }
}

const looks = [
  ['=', false, false],
  ['!', false, true],
  ['<=', true, false],
  ['<!', true, true],
] as const;
