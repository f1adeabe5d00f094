import type { Value } from '../json.ts';
import type { Span } from './errors.ts';

/** The syntax tree of a jq program. Every node knows its range in the text the user wrote. */
export type Ast =
  | Identity
  | Recurse
  | Literal
  | StringTemplate
  | Format
  | Index
  | Slice
  | Iterate
  | Variable
  | Location
  | Call
  | Negate
  | Pipe
  | Comma
  | Binary
  | Logical
  | Alternative
  | Assign
  | If
  | Try
  | Reduce
  | Foreach
  | Label
  | Break
  | Bind
  | Define
  | ArrayConstruction
  | ObjectConstruction;

export interface Identity extends Span {
  kind: 'identity';
}
/** `..` */
export interface Recurse extends Span {
  kind: 'recurse';
}
export interface Literal extends Span {
  kind: 'literal';
  value: Value;
}
/** A string with interpolations; `format` is applied to each interpolated value. Parts alternate freely. */
export interface StringTemplate extends Span {
  kind: 'template';
  format: string;
  parts: (string | Ast)[];
}
/** `@base64` without a string. */
export interface Format extends Span {
  kind: 'format';
  name: string;
}
/** `target[key]`, `target.key`. */
export interface Index extends Span {
  kind: 'index';
  target: Ast;
  key: Ast;
  /** `target[key]?`: only this step may fail silently, not the target or the key. */
  optional: boolean;
}
export interface Slice extends Span {
  kind: 'slice';
  target: Ast;
  from: Ast | null;
  to: Ast | null;
  optional: boolean;
}
/** `target[]` */
export interface Iterate extends Span {
  kind: 'iterate';
  target: Ast;
  optional: boolean;
}
export interface Variable extends Span {
  kind: 'variable';
  name: string;
}
/** `$__loc__` */
export interface Location extends Span {
  kind: 'location';
  line: number;
}
export interface Call extends Span {
  kind: 'call';
  name: string;
  args: Ast[];
}
export interface Negate extends Span {
  kind: 'negate';
  operand: Ast;
}
export interface Pipe extends Span {
  kind: 'pipe';
  left: Ast;
  right: Ast;
}
export interface Comma extends Span {
  kind: 'comma';
  left: Ast;
  right: Ast;
}
export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>=';
export interface Binary extends Span {
  kind: 'binary';
  operator: BinaryOperator;
  left: Ast;
  right: Ast;
}
export interface Logical extends Span {
  kind: 'logical';
  operator: 'and' | 'or';
  left: Ast;
  right: Ast;
}
/** `left // right` */
export interface Alternative extends Span {
  kind: 'alternative';
  left: Ast;
  right: Ast;
}
export type AssignOperator = '=' | '|=' | '+=' | '-=' | '*=' | '/=' | '%=' | '//=';
export interface Assign extends Span {
  kind: 'assign';
  operator: AssignOperator;
  left: Ast;
  right: Ast;
}
export interface If extends Span {
  kind: 'if';
  condition: Ast;
  then: Ast;
  /** Without `else`, the input passes through. */
  otherwise: Ast | null;
}
/** `try body catch handler`, and `body?` with no handler. */
export interface Try extends Span {
  kind: 'try';
  body: Ast;
  handler: Ast | null;
}
export interface Reduce extends Span {
  kind: 'reduce';
  source: Ast;
  patterns: Pattern[];
  init: Ast;
  update: Ast;
}
export interface Foreach extends Span {
  kind: 'foreach';
  source: Ast;
  patterns: Pattern[];
  init: Ast;
  update: Ast;
  extract: Ast | null;
}
export interface Label extends Span {
  kind: 'label';
  name: string;
  body: Ast;
}
export interface Break extends Span {
  kind: 'break';
  name: string;
}
/** `source as patterns | body`; more than one pattern means `?//`. */
export interface Bind extends Span {
  kind: 'bind';
  source: Ast;
  patterns: Pattern[];
  body: Ast;
}
export interface Define extends Span {
  kind: 'define';
  function: FunctionDefinition;
  rest: Ast;
}
export interface FunctionDefinition extends Span {
  name: string;
  /** `$`-parameters are both a variable and a function of no arguments. */
  params: { name: string; isValue: boolean; span: Span }[];
  body: Ast;
}
/** `[body]` */
export interface ArrayConstruction extends Span {
  kind: 'array';
  body: Ast | null;
}
export interface ObjectConstruction extends Span {
  kind: 'object';
  entries: ObjectEntry[];
}
export interface ObjectEntry extends Span {
  key: Ast;
  /** null: shorthand, the value is the input's field of that name. */
  value: Ast | null;
}

export type Pattern = VariablePattern | ArrayPattern | ObjectPattern;
export interface VariablePattern extends Span {
  kind: 'variable';
  name: string;
}
export interface ArrayPattern extends Span {
  kind: 'array';
  items: Pattern[];
}
export interface ObjectPattern extends Span {
  kind: 'object';
  entries: ObjectPatternEntry[];
}
export interface ObjectPatternEntry extends Span {
  key: Ast;
  /** `$name` alone, or `$name: pattern`, binds the value under the key's own name too. */
  variable: string | null;
  value: Pattern | null;
}

/** A `module`, `import` or `include` line. */
export interface Import extends Span {
  path: string;
  alias: string | null;
  isData: boolean;
  metadata: Value;
}

/** A whole program, or with `body === null` a library of definitions. */
export interface ProgramAst {
  module: Value | null;
  imports: Import[];
  definitions: FunctionDefinition[];
  body: Ast | null;
}
