import { numberFromLiteral, type Value, type ValueObject, writeKey } from '../json.ts';
import { stringify } from '../json-text.ts';
import type {
  ArrayPattern,
  AssignOperator,
  Ast,
  BinaryOperator,
  FunctionDefinition,
  Import,
  Index,
  Iterate,
  ObjectConstruction,
  ObjectEntry,
  ObjectPattern,
  ObjectPatternEntry,
  Pattern,
  ProgramAst,
  Slice,
} from './ast.ts';
import { BudgetExceeded, ExpressionError, positionOf, type Span } from './errors.ts';
import { type Token, type TokenKind, tokenize } from './lexer.ts';
import { kindName, truncated } from './values.ts';

/**
 * Recursive descent with precedence climbing over jq 1.8's grammar. Loosest first: `def … ;` and `… as … |` and
 * `label … |` swallow everything to their right, then `|`, `,`, `//`, assignments, `or`, `and`, comparisons, `+ -`,
 * `* / %`, and terms with their suffixes. `try` binds like a term: `try a // b` is `(try a) // b`.
 */
export interface ParseOptions {
  singleQuotes?: boolean;
  /** How deep brackets and keywords may nest; beyond it a budget error, because each level costs JavaScript stack. */
  maxDepth?: number;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  'as def module import include if then else elif end reduce foreach try catch label break and or __loc__'.split(' '),
);

const DEFAULT_MAX_DEPTH = 300;

interface Operator {
  precedence: number;
  associativity: 'left' | 'right' | 'none';
}

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['//', { precedence: 1, associativity: 'right' }],
  ...['=', '|=', '+=', '-=', '*=', '/=', '%=', '//='].map((name): [string, Operator] => [
    name,
    { precedence: 2, associativity: 'none' },
  ]),
  ['or', { precedence: 3, associativity: 'left' }],
  ['and', { precedence: 4, associativity: 'left' }],
  ...['==', '!=', '<', '<=', '>', '>='].map((name): [string, Operator] => [
    name,
    { precedence: 5, associativity: 'none' },
  ]),
  ['+', { precedence: 6, associativity: 'left' }],
  ['-', { precedence: 6, associativity: 'left' }],
  ['*', { precedence: 7, associativity: 'left' }],
  ['/', { precedence: 7, associativity: 'left' }],
  ['%', { precedence: 7, associativity: 'left' }],
]);

/** Parses a program or a library. Throws ExpressionError of kind `syntax`, or BudgetExceeded when it nests too deep. */
export function parse(source: string, options: ParseOptions = {}): ProgramAst {
  return new Parser(source, options).program();
}

class Parser {
  readonly #source: string;
  readonly #tokens: Token[];
  readonly #maxDepth: number;
  #at = 0;
  #depth = 0;

  constructor(source: string, options: ParseOptions) {
    this.#source = source;
    this.#tokens = tokenize(source, { singleQuotes: options.singleQuotes === true });
    this.#maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
  }

  program(): ProgramAst {
    let module: Value | null = null;
    if (this.#isName('module')) {
      this.#at++;
      module = this.#metadata();
      this.#expect(';');
    }
    const imports: Import[] = [];
    while (this.#isName('import') || this.#isName('include')) imports.push(this.#import());
    const definitions: FunctionDefinition[] = [];
    while (this.#isName('def')) definitions.push(this.#definition());
    if (this.#atEnd()) return { module, imports, definitions, body: null };
    const body = this.#pipe();
    if (!this.#atEnd()) this.#unexpected('the end of the program');
    return { module, imports, definitions, body };
  }

  // ---- tokens

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #atEnd(): boolean {
    return this.#token.kind === 'end';
  }

  #is(text: string): boolean {
    const token = this.#token;
    return token.kind === 'op' && token.text === text;
  }

  #isName(text: string): boolean {
    const token = this.#token;
    return token.kind === 'name' && token.text === text;
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): Token {
    const token = this.#token;
    if (!this.#is(text)) this.#unexpected(`'${text}'`);
    this.#at++;
    return token;
  }

  #expectName(text: string, unterminated?: string): void {
    if (!this.#isName(text)) {
      if (unterminated !== undefined && this.#token.kind === 'end') this.#fail('unbalanced', unterminated, this.#token);
      this.#unexpected(`'${text}'`);
    }
    this.#at++;
  }

  #expectKind(kind: TokenKind, what: string): Token {
    const token = this.#token;
    if (token.kind !== kind) this.#unexpected(what);
    this.#at++;
    return token;
  }

  #unexpected(expected: string): never {
    const token = this.#token;
    const found = token.kind === 'end' ? 'the end of the program' : `'${this.#source.slice(token.start, token.end)}'`;
    this.#fail('unexpected-token', `syntax error: unexpected ${found}, expecting ${expected}`, token);
  }

  #fail(code: string, message: string, span: Span): never {
    throw new ExpressionError('syntax', code, message, positionOf(this.#source, span));
  }

  #previousEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  #enter(): void {
    if (++this.#depth > this.#maxDepth) throw new BudgetExceeded('depth', this.#maxDepth);
  }

  // ---- modules

  #import(): Import {
    const start = this.#token.start;
    const isInclude = this.#isName('include');
    this.#at++;
    const pathToken = this.#token;
    const path = this.#string('text');
    if (path.kind !== 'literal' || typeof path.value !== 'string') {
      this.#fail('import', 'Import path must be constant', { start: pathToken.start, end: path.end });
    }
    let alias: string | null = null;
    let isData = false;
    if (!isInclude) {
      this.#expectName('as');
      isData = this.#token.kind === 'variable';
      if (!isData && this.#token.kind !== 'name') this.#unexpected('a name or $name for the module');
      alias = this.#token.text;
      this.#at++;
    }
    const metadata = this.#is(';') ? {} : this.#metadata();
    this.#expect(';');
    return { path: path.value as string, alias, isData, metadata, start, end: this.#previousEnd() };
  }

  #metadata(): Value {
    const ast = this.#pipe();
    const value = constantOf(ast);
    if (value === undefined) this.#fail('module-metadata', 'Module metadata must be constant', ast);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#fail('module-metadata', 'Module metadata must be an object', ast);
    }
    return value;
  }

  #definition(): FunctionDefinition {
    const start = this.#token.start;
    this.#at++;
    const name = this.#expectKind('name', 'a name for the function');
    const params: FunctionDefinition['params'] = [];
    if (this.#accept('(')) {
      do {
        const token = this.#token;
        if (token.kind !== 'name' && token.kind !== 'variable') this.#unexpected('a parameter: name or $name');
        this.#at++;
        params.push({ name: token.text, isValue: token.kind === 'variable', span: token });
      } while (this.#accept(';'));
      this.#expect(')');
    }
    this.#expect(':');
    const body = this.#pipe();
    this.#expect(';');
    return { name: name.text, params, body, start, end: this.#previousEnd() };
  }

  // ---- queries

  /** A whole query. Right-recursive `|` is collected in a loop, so a long pipeline costs no stack here. */
  #pipe(): Ast {
    this.#enter();
    const stages = [this.#comma()];
    while (this.#accept('|')) stages.push(this.#comma());
    this.#depth--;
    return foldPipe(stages);
  }

  #comma(): Ast {
    let left = this.#stage();
    while (this.#accept(',')) {
      const right = this.#stage();
      left = { kind: 'comma', left, right, start: left.start, end: right.end };
    }
    return left;
  }

  #stage(): Ast {
    const start = this.#token.start;
    if (this.#isName('def')) {
      const definition = this.#definition();
      const rest = this.#pipe();
      return { kind: 'define', function: definition, rest, start, end: rest.end };
    }
    if (this.#isName('label')) {
      this.#at++;
      const name = this.#expectKind('variable', '$name for the label').text;
      this.#expect('|');
      const body = this.#pipe();
      return { kind: 'label', name, body, start, end: body.end };
    }
    const source = this.#expression(0);
    if (!this.#isName('as')) return source;
    this.#at++;
    const patterns = this.#patterns();
    this.#expect('|');
    const body = this.#pipe();
    return { kind: 'bind', source, patterns, body, start, end: body.end };
  }

  #expression(minimum: number): Ast {
    let left = this.#postfix();
    for (;;) {
      const token = this.#token;
      if (token.kind !== 'op' && token.kind !== 'name') return left;
      const operator = OPERATORS.get(token.text);
      if (operator === undefined || operator.precedence < minimum) return left;
      this.#at++;
      this.#enter();
      const right = this.#expression(operator.precedence + (operator.associativity === 'right' ? 0 : 1));
      this.#depth--;
      left = binary(token.text, left, right);
      if (operator.associativity === 'none') {
        const next = this.#token;
        if (next.kind === 'op' && OPERATORS.get(next.text)?.precedence === operator.precedence) {
          const message = `'${token.text}' and '${next.text}' cannot be chained: say with ( ) which goes first`;
          this.#fail('not-associative', message, next);
        }
      }
    }
  }

  #postfix(): Ast {
    if (this.#is('-')) {
      const start = this.#token.start;
      this.#at++;
      this.#enter();
      const operand = this.#postfix();
      this.#depth--;
      const constant = operand.kind === 'literal' && typeof operand.value === 'number' ? -operand.value : null;
      if (constant !== null) return { kind: 'literal', value: constant, start, end: operand.end };
      return { kind: 'negate', operand, start, end: operand.end };
    }
    this.#enter();
    let target = this.#term();
    this.#depth--;
    for (;;) {
      const token = this.#token;
      const { start } = target;
      if (token.kind === 'field') {
        this.#at++;
        const key: Ast = { kind: 'literal', value: token.text, start: token.start, end: token.end };
        target = this.#optional({ kind: 'index', target, key, optional: false, start, end: token.end });
        continue;
      }
      if (token.kind !== 'op') return target;
      if (token.text === '?') {
        this.#at++;
        target = { kind: 'try', body: target, handler: null, start, end: token.end };
      } else if (token.text === '?//') {
        // Outside of patterns `a?//b` means `a? // b`.
        const split = token.start + 1;
        target = { kind: 'try', body: target, handler: null, start, end: split };
        this.#tokens[this.#at] = { kind: 'op', text: '//', start: split, end: token.end };
        return target;
      } else if (token.text === '[') {
        target = this.#bracket(target);
      } else if (token.text === '.' && this.#startsSuffix()) {
        this.#at++;
        target = this.#is('[') ? this.#bracket(target) : this.#quotedField(target);
      } else return target;
    }
  }

  #startsSuffix(): boolean {
    const next = this.#tokens[this.#at + 1];
    if (next === undefined) return false;
    return next.kind === 'stringStart' || (next.kind === 'op' && next.text === '[') || next.kind === 'format';
  }

  #quotedField(target: Ast): Ast {
    const format = this.#token.kind === 'format' ? this.#token.text : 'text';
    if (this.#token.kind === 'format') this.#at++;
    const key = this.#string(format);
    return this.#optional({ kind: 'index', target, key, optional: false, start: target.start, end: key.end });
  }

  #bracket(target: Ast): Ast {
    this.#expect('[');
    const { start } = target;
    if (this.#accept(']')) {
      return this.#optional({ kind: 'iterate', target, optional: false, start, end: this.#previousEnd() });
    }
    if (this.#accept(':')) {
      const to = this.#pipe();
      this.#expect(']');
      return this.#optional({
        kind: 'slice',
        target,
        from: null,
        to,
        optional: false,
        start,
        end: this.#previousEnd(),
      });
    }
    const key = this.#pipe();
    if (this.#accept(':')) {
      const to = this.#is(']') ? null : this.#pipe();
      this.#expect(']');
      return this.#optional({ kind: 'slice', target, from: key, to, optional: false, start, end: this.#previousEnd() });
    }
    this.#expect(']');
    return this.#optional({ kind: 'index', target, key, optional: false, start, end: this.#previousEnd() });
  }

  /** A `?` right after a path step belongs to that step alone. */
  #optional(step: Index | Slice | Iterate): Ast {
    if (this.#is('?//')) {
      // Outside of patterns `.a?//b` means `.a? // b`.
      const token = this.#token;
      this.#tokens[this.#at] = { kind: 'op', text: '//', start: token.start + 1, end: token.end };
      return { ...step, optional: true, end: token.start + 1 };
    }
    return this.#accept('?') ? { ...step, optional: true, end: this.#previousEnd() } : step;
  }

  // ---- terms

  #term(): Ast {
    const token = this.#token;
    const { start, end } = token;
    switch (token.kind) {
      case 'number': {
        this.#at++;
        return { kind: 'literal', value: numberFromLiteral(token.text) ?? 0, start, end };
      }
      case 'stringStart':
        return this.#string('text');
      case 'format': {
        this.#at++;
        if (this.#token.kind === 'stringStart') return { ...this.#string(token.text), start };
        return { kind: 'format', name: token.text, start, end };
      }
      case 'field': {
        this.#at++;
        const target: Ast = { kind: 'identity', start, end: start };
        const key: Ast = { kind: 'literal', value: token.text, start, end };
        return this.#optional({ kind: 'index', target, key, optional: false, start, end });
      }
      case 'variable': {
        this.#at++;
        if (token.text === '__loc__') return { kind: 'location', line: this.#lineOf(start), start, end };
        return { kind: 'variable', name: token.text, start, end };
      }
      case 'name':
        return this.#named(token);
      case 'op':
        return this.#punctuated(token);
      default:
        this.#unexpected('a term: a path, a value, a function or ( )');
    }
  }

  #lineOf(offset: number): number {
    return positionOf(this.#source, { start: offset, end: offset }).line;
  }

  #punctuated(token: Token): Ast {
    const { start, end } = token;
    switch (token.text) {
      case '.': {
        this.#at++;
        const identity: Ast = { kind: 'identity', start, end };
        if (this.#token.kind === 'stringStart' || this.#token.kind === 'format') return this.#quotedField(identity);
        if (this.#token.kind === 'name' && this.#token.start > end && !this.#continuesAfterDot()) {
          this.#fail('field-name', 'try .["field"] instead of . field: no space after the dot', this.#token);
        }
        if (this.#token.kind === 'number') {
          this.#fail('field-name', `try .["field"] instead of .field for unusually named fields`, this.#token);
        }
        return identity;
      }
      case '..':
        this.#at++;
        return { kind: 'recurse', start, end };
      case '(': {
        this.#at++;
        const inner = this.#pipe();
        this.#expect(')');
        // The parentheses belong to the text of the term, but the tree keeps what is inside.
        return inner;
      }
      case '[': {
        this.#at++;
        if (this.#accept(']')) return { kind: 'array', body: null, start, end: this.#previousEnd() };
        const body = this.#pipe();
        this.#expect(']');
        return { kind: 'array', body, start, end: this.#previousEnd() };
      }
      case '{':
        return this.#object();
      default:
        this.#unexpected('a term: a path, a value, a function or ( )');
    }
  }

  /** After a lone `.` only keywords that continue an expression may follow. */
  #continuesAfterDot(): boolean {
    return KEYWORDS.has(this.#token.text);
  }

  #named(token: Token): Ast {
    const { start, end } = token;
    switch (token.text) {
      case 'if':
        return this.#if();
      case 'try': {
        this.#at++;
        const body = this.#postfix();
        let handler: Ast | null = null;
        if (this.#isName('catch')) {
          this.#at++;
          handler = this.#postfix();
        }
        return { kind: 'try', body, handler, start, end: this.#previousEnd() };
      }
      case 'reduce':
      case 'foreach':
        return this.#loop(token.text);
      case 'break': {
        this.#at++;
        if (this.#token.kind !== 'variable')
          this.#fail('label', 'break requires a label to break to: break $name', token);
        const name = this.#token.text;
        this.#at++;
        return { kind: 'break', name, start, end: this.#previousEnd() };
      }
      case 'def':
      case 'label':
        this.#fail('keyword', `'${token.text}' starts a query of its own: put it in ( )`, token);
    }
    if (KEYWORDS.has(token.text) && token.text !== '__loc__') {
      this.#unexpected('a term: a path, a value, a function or ( )');
    }
    this.#at++;
    if (this.#is('(')) {
      this.#at++;
      const args = [this.#pipe()];
      while (this.#accept(';')) args.push(this.#pipe());
      this.#expect(')');
      return { kind: 'call', name: token.text, args, start, end: this.#previousEnd() };
    }
    if (token.text === 'true') return { kind: 'literal', value: true, start, end };
    if (token.text === 'false') return { kind: 'literal', value: false, start, end };
    if (token.text === 'null') return { kind: 'literal', value: null, start, end };
    return { kind: 'call', name: token.text, args: [], start, end };
  }

  #if(): Ast {
    const start = this.#token.start;
    this.#at++;
    const condition = this.#pipe();
    this.#expectName('then');
    const then = this.#pipe();
    const unterminated = "this 'if' has no 'end'";
    if (this.#isName('elif')) {
      this.#enter();
      const otherwise = this.#if();
      this.#depth--;
      return { kind: 'if', condition, then, otherwise, start, end: otherwise.end };
    }
    let otherwise: Ast | null = null;
    if (this.#isName('else')) {
      this.#at++;
      otherwise = this.#pipe();
    }
    this.#expectName('end', unterminated);
    return { kind: 'if', condition, then, otherwise, start, end: this.#previousEnd() };
  }

  #loop(keyword: 'reduce' | 'foreach'): Ast {
    const start = this.#token.start;
    this.#at++;
    const source = this.#expression(0);
    this.#expectName('as');
    const patterns = this.#patterns();
    this.#expect('(');
    const init = this.#pipe();
    this.#expect(';');
    const update = this.#pipe();
    let extract: Ast | null = null;
    if (keyword === 'foreach' && this.#accept(';')) extract = this.#pipe();
    this.#expect(')');
    const end = this.#previousEnd();
    if (keyword === 'reduce') return { kind: 'reduce', source, patterns, init, update, start, end };
    return { kind: 'foreach', source, patterns, init, update, extract, start, end };
  }

  /** A string with its interpolations; constant strings become literals. */
  #string(format: string): Ast {
    const start = this.#expectKind('stringStart', 'a string').start;
    const parts: (string | Ast)[] = [];
    for (;;) {
      const token = this.#token;
      this.#at++;
      if (token.kind === 'text') parts.push(token.text);
      else if (token.kind === 'interpolationStart') {
        parts.push(this.#pipe());
        this.#expectKind('interpolationEnd', "')'");
      } else break;
    }
    const end = this.#previousEnd();
    if (parts.every((part) => typeof part === 'string')) {
      return { kind: 'literal', value: parts.join(''), start, end };
    }
    return { kind: 'template', format, parts, start, end };
  }

  // ---- objects and patterns

  #object(): ObjectConstruction {
    const start = this.#expect('{').start;
    const entries: ObjectEntry[] = [];
    while (!this.#is('}')) {
      entries.push(this.#entry());
      if (!this.#accept(',')) break;
    }
    this.#expect('}');
    return { kind: 'object', entries, start, end: this.#previousEnd() };
  }

  #entry(): ObjectEntry {
    const token = this.#token;
    const { start } = token;
    const literal: Ast = { kind: 'literal', value: token.text, start, end: token.end };
    if (token.kind === 'variable') {
      this.#at++;
      const variable: Ast =
        token.text === '__loc__'
          ? { kind: 'location', line: this.#lineOf(start), start, end: token.end }
          : { kind: 'variable', name: token.text, start, end: token.end };
      if (token.text !== '__loc__' && this.#accept(':')) return this.#entryValue(variable, start);
      return { key: literal, value: variable, start, end: token.end };
    }
    if (token.kind === 'name') {
      this.#at++;
      if (this.#accept(':')) return this.#entryValue(literal, start);
      if (!this.#is(',') && !this.#is('}')) this.#unparenthesizedKey(start);
      return { key: literal, value: null, start, end: token.end };
    }
    if (token.kind === 'stringStart' || token.kind === 'format') {
      if (token.kind === 'format') this.#at++;
      const key = this.#string(token.kind === 'format' ? token.text : 'text');
      if (this.#accept(':')) return this.#entryValue(key, start);
      return { key, value: null, start, end: key.end };
    }
    if (!this.#is('(')) {
      if (token.kind === 'end') this.#unexpected("a key or '}'");
      this.#unparenthesizedKey(start);
    }
    this.#at++;
    const key = this.#objectKey();
    return this.#entryValue(key, start);
  }

  /** The expression of a `(key)`, its closing parenthesis and the colon. */
  #objectKey(): Ast {
    const key = this.#pipe();
    this.#expect(')');
    const constant = constantOf(key);
    if (constant !== undefined && typeof constant !== 'string') {
      const text = truncated(stringify(constant), 30);
      this.#fail('object-key', `Cannot use ${kindName(constant)} (${text}) as object key`, key);
    }
    this.#expect(':');
    return key;
  }

  #unparenthesizedKey(start: number): never {
    let end = start;
    for (let at = this.#at; at < this.#tokens.length; at++) {
      const token = this.#tokens[at];
      if (token === undefined || token.kind === 'end' || [':', ',', '}'].includes(token.text)) break;
      end = token.end;
    }
    this.#fail('object-key', 'May need parentheses around object key expression', { start, end });
  }

  #entryValue(key: Ast, start: number): ObjectEntry {
    const stages = [this.#expression(0)];
    while (this.#accept('|')) stages.push(this.#expression(0));
    const value = foldPipe(stages);
    return { key, value, start, end: value.end };
  }

  #patterns(): Pattern[] {
    const patterns = [this.#pattern()];
    while (this.#accept('?//')) patterns.push(this.#pattern());
    return patterns;
  }

  #pattern(): Pattern {
    const token = this.#token;
    this.#enter();
    try {
      if (token.kind === 'variable') {
        this.#at++;
        return { kind: 'variable', name: token.text, start: token.start, end: token.end };
      }
      if (this.#is('[')) return this.#arrayPattern();
      if (this.#is('{')) return this.#objectPattern();
    } finally {
      this.#depth--;
    }
    this.#unexpected("$name, '[' or '{'");
  }

  #arrayPattern(): ArrayPattern {
    const start = this.#expect('[').start;
    const items = [this.#pattern()];
    while (this.#accept(',')) items.push(this.#pattern());
    this.#expect(']');
    return { kind: 'array', items, start, end: this.#previousEnd() };
  }

  #objectPattern(): ObjectPattern {
    const start = this.#expect('{').start;
    const entries = [this.#patternEntry()];
    while (this.#accept(',')) entries.push(this.#patternEntry());
    this.#expect('}');
    return { kind: 'object', entries, start, end: this.#previousEnd() };
  }

  #patternEntry(): ObjectPatternEntry {
    const token = this.#token;
    const { start } = token;
    let key: Ast = { kind: 'literal', value: token.text, start, end: token.end };
    let variable: string | null = null;
    if (token.kind === 'variable') {
      this.#at++;
      variable = token.text;
      if (!this.#accept(':')) return { key, variable, value: null, start, end: token.end };
    } else if (token.kind === 'name') {
      this.#at++;
      this.#expect(':');
    } else if (token.kind === 'stringStart' || token.kind === 'format') {
      if (token.kind === 'format') this.#at++;
      key = this.#string(token.kind === 'format' ? token.text : 'text');
      this.#expect(':');
    } else if (this.#accept('(')) {
      key = this.#objectKey();
    } else this.#unexpected('a key: name, "name", $name or (expression)');
    const value = this.#pattern();
    return { key, variable, value, start, end: value.end };
  }
}

function foldPipe(stages: Ast[]): Ast {
  let ast = stages[stages.length - 1] as Ast;
  for (let at = stages.length - 2; at >= 0; at--) {
    const left = stages[at] as Ast;
    ast = { kind: 'pipe', left, right: ast, start: left.start, end: ast.end };
  }
  return ast;
}

function binary(operator: string, left: Ast, right: Ast): Ast {
  const span = { start: left.start, end: right.end };
  switch (operator) {
    case '//':
      return { kind: 'alternative', left, right, ...span };
    case 'and':
    case 'or':
      return { kind: 'logical', operator, left, right, ...span };
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { kind: 'binary', operator: operator satisfies BinaryOperator, left, right, ...span };
    default:
      return { kind: 'assign', operator: operator as AssignOperator, left, right, ...span };
  }
}

/** The value of a tree that is a constant as it stands, or undefined. */
export function constantOf(ast: Ast): Value | undefined {
  switch (ast.kind) {
    case 'literal':
      return ast.value;
    case 'array': {
      if (ast.body === null) return [];
      const items: Value[] = [];
      return collectConstants(ast.body, items) ? items : undefined;
    }
    case 'object': {
      const object: ValueObject = {};
      for (const entry of ast.entries) {
        const key = constantOf(entry.key);
        const value = entry.value === null ? undefined : constantOf(entry.value);
        if (typeof key !== 'string' || value === undefined) return undefined;
        writeKey(object, key, value);
      }
      return object;
    }
    default:
      return undefined;
  }
}

function collectConstants(ast: Ast, into: Value[]): boolean {
  if (ast.kind === 'comma') return collectConstants(ast.left, into) && collectConstants(ast.right, into);
  const value = constantOf(ast);
  if (value === undefined) return false;
  into.push(value);
  return true;
}
