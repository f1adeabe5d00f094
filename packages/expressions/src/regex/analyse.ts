import { contains, foldCase } from './charset.ts';
import type { Node } from './syntax.ts';

/** What can be said of a pattern without running it: how wide its matches are and where one can begin. */
export interface Widths {
  min: number;
  max: number;
}

/** The least and the most code points a node can match; `max` may be infinite. */
export function widthsOf(node: Node): Widths {
  switch (node.kind) {
    case 'char':
    case 'set':
      return { min: 1, max: 1 };
    case 'sequence': {
      const parts = node.items.map(widthsOf);
      return {
        min: parts.reduce((sum, part) => sum + part.min, 0),
        max: parts.reduce((sum, part) => sum + part.max, 0),
      };
    }
    case 'alternatives': {
      const widths = { min: Number.POSITIVE_INFINITY, max: 0 };
      for (const item of node.items) {
        const part = widthsOf(item);
        widths.min = Math.min(widths.min, part.min);
        widths.max = Math.max(widths.max, part.max);
      }
      return widths;
    }
    case 'repeat': {
      const body = widthsOf(node.body);
      return { min: body.min * node.min, max: body.max === 0 || node.max === 0 ? 0 : body.max * node.max };
    }
    case 'group':
    case 'atomic':
      return widthsOf(node.body);
    case 'condition': {
      const yes = widthsOf(node.yes);
      const no = widthsOf(node.no);
      return { min: Math.min(yes.min, no.min), max: Math.max(yes.max, no.max) };
    }
    case 'backreference':
    case 'call':
      return { min: 0, max: Number.POSITIVE_INFINITY };
    default:
      return { min: 0, max: 0 };
  }
}

/** Whether groups are called, so that they need a way back. */
export function mentionsCall(node: Node): boolean {
  switch (node.kind) {
    case 'call':
      return true;
    case 'sequence':
    case 'alternatives':
      return node.items.some(mentionsCall);
    case 'repeat':
    case 'group':
    case 'look':
    case 'atomic':
      return mentionsCall(node.body);
    case 'condition':
      return mentionsCall(node.yes) || mentionsCall(node.no);
    default:
      return false;
  }
}

/** The one place a match can begin, when the pattern says so itself. */
export function anchorOf(node: Node): 'textStart' | 'searchStart' | undefined {
  if (node.kind === 'assertion')
    return node.what === 'textStart' || node.what === 'searchStart' ? node.what : undefined;
  if (node.kind === 'group' || node.kind === 'atomic') return anchorOf(node.body);
  if (node.kind === 'sequence') {
    const [head] = node.items;
    return head === undefined ? undefined : anchorOf(head);
  }
  if (node.kind === 'alternatives') {
    const anchors = new Set(node.items.map(anchorOf));
    return anchors.size === 1 ? [...anchors][0] : undefined;
  }
  return undefined;
}

/** Whether the pattern is nothing but that text. */
export function isLiteral(root: Node): boolean {
  const length = root.kind === 'sequence' ? root.items.length : 1;
  return length > 0 && prefixOf(root).length === length;
}

/** Literal text every match begins with; '' when there is none. */
export function prefixOf(root: Node): string {
  const items = root.kind === 'sequence' ? root.items : [root];
  let prefix = '';
  for (const item of items) {
    if (item.kind !== 'char' || item.fold || item.code > 0xffff) break;
    prefix += String.fromCharCode(item.code);
  }
  return prefix;
}

/** First characters of a node; undefined when it may match without consuming (or we do not know). */
export function firstOf(node: Node): Uint8Array | undefined {
  const table = new Uint8Array(129);
  const add = (test: (code: number) => boolean, others: boolean): Uint8Array => {
    for (let code = 0; code < 128; code++) if (test(code)) table[code] = 1;
    if (others) table[128] = 1;
    return table;
  };
  switch (node.kind) {
    case 'char':
      return add(
        (code) => (node.fold ? foldCase(code) === node.code : code === node.code),
        node.fold || node.code > 127,
      );
    case 'set':
      return add((code) => contains(node.set, code), true);
    case 'group':
    case 'atomic':
      return firstOf(node.body);
    case 'repeat':
      return node.min > 0 ? firstOf(node.body) : undefined;
    case 'alternatives': {
      for (const item of node.items) {
        const part = firstOf(item);
        if (part === undefined) return undefined;
        for (let code = 0; code < 129; code++) if (part[code] === 1) table[code] = 1;
      }
      return table;
    }
    case 'sequence': {
      for (const item of node.items) {
        const part = firstOf(item);
        if (part !== undefined) {
          for (let code = 0; code < 129; code++) if (part[code] === 1) table[code] = 1;
          return table;
        }
        // An optional single character may be skipped: its first characters join those of what follows.
        const skippable = item.kind === 'repeat' && (item.body.kind === 'char' || item.body.kind === 'set');
        if (skippable) {
          const body = firstOf(item.body);
          if (body === undefined) return undefined;
          for (let code = 0; code < 129; code++) if (body[code] === 1) table[code] = 1;
        } else if (item.kind !== 'assertion' && item.kind !== 'look') return undefined;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}
