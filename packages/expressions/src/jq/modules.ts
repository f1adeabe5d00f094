import { isObject, readKey, type Value, type ValueObject } from '../json.ts';
import { JsonTextError, parseJson } from '../json-parse.ts';
import type { FunctionDefinition, Import, ProgramAst } from './ast.ts';
import { defineFunction } from './compile-call.ts';
import { Compiler, type FindBuiltin } from './compiler.ts';
import { ExpressionError, JqError, positionOf } from './errors.ts';
import { single } from './filter.ts';
import { parse } from './parser.ts';
import { Layout, Scope } from './scope.ts';

/**
 * Answers the text of a module or data file, or null when there is none. Paths are relative to the host's library,
 * with `/` and without `..` at the front; what they stand for is the host's business. The product hands in none, so
 * its programs cannot import anything.
 */
export type ModuleReader = (path: string) => string | null;

interface LoadedFunction {
  name: string;
  binding: Scope['binding'];
}

/** Loads and compiles what a program imports. One per program; a module imported twice is compiled once. */
export class Linker {
  readonly #read: ModuleReader | null;
  readonly #findBuiltin: FindBuiltin;
  readonly #loaded = new Map<string, LoadedFunction[] | 'loading'>();

  constructor(read: ModuleReader | null, findBuiltin: FindBuiltin) {
    this.#read = read;
    // `modulemeta` is the one builtin that needs the modules themselves.
    this.#findBuiltin = (compiler, name, args, span, context) => {
      if (name !== 'modulemeta' || args.length > 0) return findBuiltin(compiler, name, args, span, context);
      return single((frame, input) => {
        frame.machine.at = span;
        return this.#metadata(input);
      });
    };
  }

  get findBuiltin(): FindBuiltin {
    return this.#findBuiltin;
  }

  /** The names that a program's imports bring in, the later ones in front. */
  scopeOf(source: string, imports: Import[], folder: string, outer: Scope | null): Scope | null {
    let scope = outer;
    for (const item of imports) {
      const found = this.#find(source, item, folder);
      if (item.isData) {
        const binding = { kind: 'constant' as const, value: documents(found.text) };
        scope = new Scope({ ...binding, name: item.alias ?? '' }, scope);
        scope = new Scope({ ...binding, name: `${item.alias}::${item.alias}` }, scope);
        continue;
      }
      for (const fn of this.#functions(found.path, found.text)) {
        const name = item.alias === null ? fn.name : `${item.alias}::${fn.name}`;
        scope = new Scope({ ...fn.binding, name }, scope);
      }
    }
    return scope;
  }

  #find(source: string, item: Import, folder: string): { path: string; text: string } {
    const fail = (message: string): never => {
      throw new ExpressionError('syntax', 'refused', message, positionOf(source, item));
    };
    if (this.#read === null) return fail('import and include are refused: a program here has no files to read');
    for (const path of candidates(item, folder)) {
      const text = this.#read(path);
      if (text !== null) return { path, text };
    }
    return fail(`module not found: ${item.path}`);
  }

  #functions(path: string, text: string): LoadedFunction[] {
    const known = this.#loaded.get(path);
    if (known === 'loading') throw new ExpressionError('syntax', 'import', `module ${path} imports itself`);
    if (known !== undefined) return known;
    this.#loaded.set(path, 'loading');
    const ast = library(path, text);
    let scope = this.scopeOf(text, ast.imports, folderOf(path), null);
    const functions: LoadedFunction[] = [];
    const compiler = new Compiler(text, this.#findBuiltin);
    const layout = new Layout(null);
    for (const definition of ast.definitions) {
      const fn = defineFunction(compiler, definition, { scope, layout, tail: true, subject: null }, true);
      const binding = { kind: 'function' as const, name: definition.name, function: fn };
      scope = new Scope(binding, scope);
      functions.push({ name: definition.name, binding });
    }
    this.#loaded.set(path, functions);
    return functions;
  }

  /** `"name" | modulemeta`: a module's metadata, what it depends on and what it defines. */
  #metadata(input: Value): Value {
    if (typeof input !== 'string') throw new JqError('modulemeta input module name must be a string', 'type');
    if (this.#read === null) throw new JqError('modulemeta is not available here', 'refused');
    const item = { path: input, isData: false, metadata: {} };
    for (const path of candidates(item, '')) {
      const text = this.#read(path);
      if (text !== null) return describe(library(path, text));
    }
    throw new JqError(`module not found: ${input}`, 'import');
  }
}

function library(path: string, text: string): ProgramAst {
  const ast = parse(text);
  if (ast.body !== null) {
    throw new ExpressionError('syntax', 'import', `${path}: library should only have function definitions`);
  }
  return ast;
}

function describe(ast: ProgramAst): ValueObject {
  const signature = (definition: FunctionDefinition): string => `${definition.name}/${definition.params.length}`;
  const deps = ast.imports.map((item) => ({
    ...(isObject(item.metadata) ? item.metadata : {}),
    ...(item.alias === null ? {} : { as: item.alias }),
    is_data: item.isData,
    relpath: item.path,
  }));
  const own = ast.module !== null && isObject(ast.module) ? ast.module : {};
  return { ...own, deps, defs: ast.definitions.map(signature) };
}

/** `a/b` is a/b.jq, or a/b/b.jq; with `search` below the importing file's folder, without it in the library. */
function candidates(item: { path: string; isData: boolean; metadata: Value }, folder: string): string[] {
  const search = isObject(item.metadata) ? (readKey(item.metadata, 'search') ?? null) : null;
  const folders =
    search === null ? [''] : (Array.isArray(search) ? search : [search]).map((at) => join(folder, String(at)));
  const name = item.path.split('/').at(-1) ?? '';
  const extension = item.isData ? '.json' : '.jq';
  return folders.flatMap((at) => [`${join(at, item.path)}${extension}`, `${join(at, item.path)}/${name}${extension}`]);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** A path inside the library: `..` cannot leave it. */
function join(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${folder}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The JSON documents of a data file, one after the other. */
function documents(text: string): Value[] {
  try {
    return [parseJson(text)];
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => parseJson(line));
  }
}
