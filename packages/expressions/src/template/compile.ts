import { type Compiled, compileExpression } from '../evaluate/expression.ts';
import type { Json } from '../json.ts';
import { LruCache } from '../lru.ts';
import { TemplateError } from './error.ts';
import type { JsonPath } from './path.ts';
import { isSingleBlock, scanTemplate } from './scan.ts';

/** A string or key with at least one block. `parts` alternates freely between text and programs. */
export interface TextNode {
  kind: 'text';
  text: string;
  /** One block and blanks: the result keeps its type. */
  single: boolean;
  parts: (string | BlockPart)[];
}

export interface BlockPart {
  source: string;
  start: number;
  end: number;
  compiled: Compiled;
}

type Entry =
  | { kind: 'entry'; name: string; key: string | TextNode; value: Node }
  /** `{{ spreadValue() }}`: the entries of the value take its place. */
  | { kind: 'spread'; name: string; value: Node };

/** A compiled document. Subtrees without a block are constants and are handed out as they are. */
export type Node =
  | { kind: 'constant'; value: Json }
  | TextNode
  | { kind: 'array'; items: Node[] }
  | { kind: 'object'; entries: Entry[] };

/** Documents nested deeper are refused, so that neither compiling nor rendering can exhaust the JavaScript stack. */
const MAX_DEPTH = 500;

/** Compiled strings, because the same body is rendered for every run and list items repeat each other's texts. */
const strings = new LruCache<TextNode | string>(2000, 8192);

const SPREAD = /^\{\{spreadValue\(\)\}\}$/;

export interface CompiledDocument {
  root: Node;
  /** Strings that are not templates: unbalanced braces. In document order; any of them fails a whole render. */
  mistakes: TemplateError[];
}

export function compileDocument(document: Json): CompiledDocument {
  const mistakes: TemplateError[] = [];
  const root = compileNode(document, [], mistakes);
  return { root, mistakes };
}

function compileNode(value: Json, path: JsonPath, mistakes: TemplateError[]): Node {
  if (typeof value === 'string') {
    const text = compileString(value, path, mistakes);
    return typeof text === 'string' ? { kind: 'constant', value: text } : text;
  }
  if (value === null || typeof value !== 'object') return { kind: 'constant', value };
  if (path.length >= MAX_DEPTH) {
    mistakes.push(new TemplateError('too-deep', `nested deeper than ${MAX_DEPTH} levels`, path));
    return { kind: 'constant', value: null };
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) => compileNode(item, [...path, index], mistakes));
    return items.every((item) => item.kind === 'constant') ? { kind: 'constant', value } : { kind: 'array', items };
  }
  const entries = Object.keys(value).map((name): Entry => {
    const child = compileNode(value[name] ?? null, [...path, name], mistakes);
    if (SPREAD.test(name.replace(/\s/g, ''))) return { kind: 'spread', name, value: child };
    return { kind: 'entry', name, key: compileString(name, [...path, name], mistakes), value: child };
  });
  const constant = entries.every(
    (entry) =>
      entry.kind === 'entry' && typeof entry.key === 'string' && entry.key !== '' && entry.value.kind === 'constant',
  );
  return constant ? { kind: 'constant', value } : { kind: 'object', entries };
}

function compileString(text: string, path: JsonPath, mistakes: TemplateError[]): TextNode | string {
  if (!text.includes('{{') && !text.includes('}}')) return text;
  const { mistake } = scanTemplate(text);
  if (mistake !== undefined) {
    const { code, message, start, end } = mistake;
    mistakes.push(new TemplateError(code, message, path, { text, start, end }));
    return text;
  }
  return strings.getOrCreate(text, () => compileText(text));
}

function compileText(text: string): TextNode | string {
  const { blocks } = scanTemplate(text);
  if (blocks.length === 0) return text;
  const parts: (string | BlockPart)[] = [];
  let at = 0;
  for (const { source, start, end } of blocks) {
    if (start - 2 > at) parts.push(text.slice(at, start - 2));
    parts.push({ source, start, end, compiled: compileExpression(source, 'documented') });
    at = end + 2;
  }
  if (at < text.length) parts.push(text.slice(at));
  return { kind: 'text', text, single: isSingleBlock(text, blocks), parts };
}
