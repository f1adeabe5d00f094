import { BigNumber } from '../json.ts';
import type { Ast, FunctionDefinition } from './ast.ts';
import { compileAssign } from './compile-assign.ts';
import { compileBind, compileForeach, compileReduce } from './compile-binding.ts';
import { compileCall, compileDefine } from './compile-call.ts';
import { compileBreak, compileIf, compileLabel, compileTry } from './compile-control.ts';
import {
  compileAlternative,
  compileBinary,
  compileComma,
  compileLogical,
  compileNegate,
  compilePipe,
} from './compile-operator.ts';
import {
  compileArray,
  compileFormat,
  compileIdentity,
  compileIndex,
  compileIterate,
  compileLiteral,
  compileLocation,
  compileObject,
  compileSlice,
  compileTemplate,
  compileVariable,
} from './compile-term.ts';
import { ExpressionError, positionOf, type Span } from './errors.ts';
import { Filter, Frame } from './filter.ts';
import { bindsSlots, type Context, Layout } from './scope.ts';

/** Calls a definition library or a module could resolve; null: not one of its names. */
export type FindBuiltin = (
  compiler: Compiler,
  name: string,
  args: Ast[],
  span: Span,
  context: Context,
) => Filter | null;

/**
 * Turns a syntax tree into filters. One compiler per program text, because error positions refer to it. Compile time is
 * linear in the text, except that recursive functions are compiled twice when they turn out to have many outputs.
 */
export class Compiler {
  readonly source: string;
  readonly findBuiltin: FindBuiltin;
  /** How many recursive definitions enclose this place: bounds the second compilations. */
  recursionDepth = 0;
  /** Whether the text contains a number that a double would change. */
  hasLiterals = false;

  constructor(source: string, findBuiltin: FindBuiltin) {
    this.source = source;
    this.findBuiltin = findBuiltin;
  }

  fail(code: string, message: string, span: Span): never {
    throw new ExpressionError('syntax', code, message, positionOf(this.source, span));
  }

  compile(ast: Ast, context: Context): Filter {
    switch (ast.kind) {
      case 'identity':
        return compileIdentity();
      case 'recurse':
        return this.findBuiltin(this, 'recurse', [], ast, context) as Filter;
      case 'literal':
        if (ast.value instanceof BigNumber) this.hasLiterals = true;
        return compileLiteral(ast.value);
      case 'template':
        return compileTemplate(this, ast, context);
      case 'format':
        return compileFormat(this, ast);
      case 'index':
        return compileIndex(this, ast, context);
      case 'slice':
        return compileSlice(this, ast, context);
      case 'iterate':
        return compileIterate(this, ast, context);
      case 'variable':
        return compileVariable(this, ast, context);
      case 'location':
        return compileLocation(ast);
      case 'call':
        return compileCall(this, ast, context);
      case 'negate':
        return compileNegate(this, ast, context);
      case 'pipe':
        return compilePipe(this, ast, context);
      case 'comma':
        return compileComma(this, ast, context);
      case 'binary':
        return compileBinary(this, ast, context);
      case 'logical':
        return compileLogical(this, ast, context);
      case 'alternative':
        return compileAlternative(this, ast, context);
      case 'assign':
        return compileAssign(this, ast, context);
      case 'if':
        return compileIf(this, ast, context);
      case 'try':
        return compileTry(this, ast, context);
      case 'reduce':
        return compileReduce(this, ast, context);
      case 'foreach':
        return compileForeach(this, ast, context);
      case 'label':
        return compileLabel(this, ast, context);
      case 'break':
        return compileBreak(this, ast, context);
      case 'bind':
        return compileBind(this, ast, context);
      case 'define':
        return compileDefine(this, ast, context);
      case 'array':
        return compileArray(this, ast, context);
      case 'object':
        return compileObject(this, ast, context);
    }
  }

  /** Compiles a sub-expression whose outputs are used by the expression around it. */
  inner(ast: Ast, context: Context, subject: Span | null = context.subject): Filter {
    return this.compile(ast, { ...context, tail: false, subject });
  }

  /**
   * Compiles an argument that may be entered again while it is running (by recursion): its variables live in a frame
   * made for each entry.
   */
  closure(ast: Ast, context: Context, tail: boolean): Filter {
    if (!bindsSlots(ast)) return this.compile(ast, { ...context, tail, subject: null });
    const layout = new Layout(context.layout);
    const body = this.compile(ast, { ...context, layout, tail, subject: null });
    const { one, run } = body;
    return new Filter(
      one === null ? null : (frame, input) => one(new Frame(frame.machine, frame, layout.size), input),
      (frame, input, emit) => run(new Frame(frame.machine, frame, layout.size), input, emit),
      () => {
        const { paths } = body;
        return (frame, path, value, emit) => paths(new Frame(frame.machine, frame, layout.size), path, value, emit);
      },
    );
  }

  /** The definitions of a program in front of its body. */
  withDefinitions(definitions: FunctionDefinition[], body: Ast): Ast {
    let ast = body;
    for (let at = definitions.length - 1; at >= 0; at--) {
      const definition = definitions[at] as FunctionDefinition;
      ast = { kind: 'define', function: definition, rest: ast, start: definition.start, end: ast.end };
    }
    return ast;
  }
}
