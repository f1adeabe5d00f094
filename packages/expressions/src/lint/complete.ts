import { evaluateOutcome } from '../evaluate/expression.ts';
import type { Json } from '../json.ts';
import { BUILTIN_HELP, FORMATS } from './builtin-help.ts';

/**
 * What may stand where somebody types a program: keys of what the program sees there, functions, formats. What is seen after a
 * pipe, or inside `map(…)`, is found by evaluating what stands before on a sample, so it is as right as the sample.
 */
export interface Suggestion {
  /** What replaces the begun word. */
  text: string;
  /** One line about it: what the sample holds there, or what the function does. */
  about: string;
}
export interface Completion {
  /** How many characters before the caret the suggestions replace. */
  replaces: number;
  suggestions: readonly Suggestion[];
}

const most = 50;
const none: Completion = { replaces: 0, suggestions: [] };

/** `before` is the program up to the caret; `sample` is its input. */
export function completeProgram(before: string, sample: Json): Completion {
  const place = placeAt(before);
  if (place === undefined) return none;
  const path = /((?:\.[A-Za-z_]\w*|\.?\["(?:[^"\\]|\\.)*"\]|\.?\[\d*\])*)\.([A-Za-z_]\w*)?$/.exec(before);
  if (path) {
    const [whole, parent = '', begun = ''] = path;
    // After `)`, `]`, a string or a variable the dot belongs to something that is not known here.
    if (/[\w)\]"$?]$/.test(before.slice(0, before.length - whole.length))) return none;
    return keysOf(valueAt(place, parent, sample), begun, parent === '');
  }
  const word = /@?[A-Za-z_]\w*$|@$/.exec(before)?.[0] ?? '';
  if (/[$.\w]$/.test(before.slice(0, before.length - word.length))) return none;
  return named(word);
}

function named(word: string): Completion {
  const all: Suggestion[] = word.startsWith('@')
    ? Object.entries(FORMATS).map(([text, about]) => ({ text, about }))
    : BUILTIN_HELP.map(({ name, signature, help }) => ({
        text: signature === name ? name : `${name}(`,
        about: signature === name ? help : `${signature}: ${help}`,
      }));
  const seen = new Set<string>();
  const suggestions = all.filter(({ text }) => text.startsWith(word) && !seen.has(text) && seen.add(text));
  return { replaces: word.length, suggestions: word === '' ? [] : suggestions.slice(0, most) };
}

function keysOf(value: unknown, begun: string, isRoot: boolean): Completion {
  const replaces = begun.length + 1;
  if (Array.isArray(value) && begun === '')
    return { replaces, suggestions: [{ text: isRoot ? '.[]' : '[]', about: `Each of ${value.length} items` }] };
  if (typeof value !== 'object' || value === null) return none;
  const suggestions = Object.entries(value)
    .filter(([key]) => key.toLowerCase().startsWith(begun.toLowerCase()))
    .slice(0, most)
    .map(([key, each]) => ({
      text: /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `${isRoot ? '.' : ''}[${JSON.stringify(key)}]`,
      about: shortly(each),
    }));
  return { replaces, suggestions };
}

function shortly(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 60 ? `${text.slice(0, 60)} …` : text;
}

/** The programs whose outputs feed each other up to the caret: each runs on what the one before yields. */
type Place = readonly string[];

function valueAt(place: Place, parent: string, sample: Json): unknown {
  let value: Json = sample;
  for (const program of [...place, parent].filter((each) => each.trim() !== '')) {
    const outcome = evaluateOutcome(program, value);
    if (!outcome.ok || outcome.value === undefined) return undefined;
    value = outcome.value as Json;
  }
  return value;
}

/** What these are given runs on each item; everything else runs on the same input. */
const perItem = /\b(?:map|sort_by|group_by|unique_by|min_by|max_by|any|all|map_values)$/;
const perEntry = /\bwith_entries$/;

interface Level {
  /** What leads from the level around it to its input. */
  entry: string;
  start: number;
  pipe: number | undefined;
}

/** Undefined inside a text or a comment. */
function placeAt(before: string): Place | undefined {
  const levels: Level[] = [{ entry: '', start: 0, pipe: undefined }];
  const top = (): Level => levels[levels.length - 1] as Level;
  const open = (entry: string, at: number) => levels.push({ entry, start: at, pipe: undefined });
  const close = () => levels.length > 1 && levels.pop();
  const tokens =
    /"(?:[^"\\]|\\.)*("|$)|#[^\n]*|\/\/|\?\/\/|\|=|[|;()[\]{}]|\b(?:if|then|elif|else|end)\b|[\w$]+|[^\s\w]/g;
  for (const { 0: token, 1: quote, index } of before.matchAll(tokens)) {
    const after = index + token.length;
    if (token.startsWith('"')) {
      if (quote !== '"') return undefined;
    } else if (token.startsWith('#')) {
      if (after === before.length) return undefined;
    } else if (token === '|') top().pipe = index;
    else if (token === '(') {
      const name = before.slice(0, index);
      open(perItem.test(name) ? '.[]' : perEntry.test(name) ? 'to_entries[]' : '', after);
    } else if (token === '[' || token === '{' || token === 'if') open('', after);
    else if (token === ')' || token === ']' || token === '}' || token === 'end') close();
    else if (token === ';' || token === 'then' || token === 'elif' || token === 'else') {
      top().start = after;
      top().pipe = undefined;
    }
  }
  return levels.flatMap(({ entry, start, pipe }) => [entry, pipe === undefined ? '' : before.slice(start, pipe)]);
}
