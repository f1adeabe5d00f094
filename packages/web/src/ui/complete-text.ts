import { type Completion, completeProgram, type Json } from '@quayside/expressions';

/** What an editor offers at its caret. */
export type Complete = (text: string, caret: number) => Completion;

const none: Completion = { replaces: 0, suggestions: [] };

/** In a text that is a program. */
export function completeJq(sample: unknown): Complete {
  return (text, caret) => completeProgram(text.slice(0, caret), sample as Json);
}

/** In the `{{ }}` blocks of a plain text. */
export function completeTemplate(sample: unknown): Complete {
  return (text, caret) => {
    const block = openBlock(text.slice(0, caret));
    return block === undefined ? none : completeProgram(block, sample as Json);
  };
}

const openBlock = (text: string): string | undefined => /\{\{((?:(?!\}\}).)*)$/.exec(text)?.[1];

/**
 * In a JSON text: in `{{ }}` blocks over `templates`, and in the strings of `"jqQuery"`, `"expressions"` and `"conditions"` over `programs`. Strings of
 * JSON do not go over lines, so the line says where the caret stands, also while the text is no JSON yet.
 */
export function completeJson(samples: { templates?: unknown; programs?: unknown }): Complete {
  return (text, caret) => {
    const lineStart = text.lastIndexOf('\n', caret - 1) + 1;
    const line = text.slice(lineStart, caret);
    const block = openBlock(line);
    if (block !== undefined && samples.templates !== undefined) return inString(block, samples.templates);
    const string = openString(line);
    if (string === undefined || samples.programs === undefined) return none;
    const before = text.slice(0, caret - string.length - 1);
    return holdsProgram(before) ? inString(string, samples.programs) : none;
  };
}

function inString(source: string, sample: unknown): Completion {
  const { replaces, suggestions } = completeProgram(spoken(source), sample as Json);
  return {
    replaces,
    suggestions: suggestions.map(({ text, about }) => ({ text: JSON.stringify(text).slice(1, -1), about })),
  };
}

/** What the string says, as far as it is typed. */
function spoken(source: string): string {
  try {
    return JSON.parse(`"${source}"`) as string;
  } catch {
    return source;
  }
}

/** What stands in the string that the line ends in. */
function openString(line: string): string | undefined {
  return /^(?:[^"]|"(?:[^"\\]|\\.)*")*?"((?:[^"\\]|\\.)*)$/.exec(line)?.[1];
}

/** Does the string that begins after this text hold a program? */
function holdsProgram(before: string): boolean {
  const structure = before.replace(/"(?:[^"\\]|\\.)*"/g, (string) => (programKeys.test(string) ? string : '""'));
  return /"jqQuery"\s*:\s*$|"(?:expressions|conditions)"\s*:\s*\[[^\]]*$/.test(structure);
}
const programKeys = /^"(?:jqQuery|expressions|conditions)"$/;
