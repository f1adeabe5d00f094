import { compileTemplate, type Json, lint, lintTemplate, type TemplateError } from '@quayside/expressions';
import { markAt, type TextMark } from './json-mistake.ts';
import { type JsonString, jsonStrings, offsetInText } from './json-strings.ts';

/** What is wrong in the `{{ }}` blocks of a JSON text, at its place in that text. Nothing for a text that is no JSON. */
export function templateMarks(text: string): TextMark[] {
  return stringsOf(text).flatMap((string) =>
    string.value.includes('{{') || string.value.includes('}}')
      ? lintTemplate(string.value).map((finding) =>
          markAt(text, finding, offsetInText(text, string, finding.start), offsetInText(text, string, finding.end)),
        )
      : [],
  );
}

/** The same for the strings that are programs: conditions of automations and of policies. */
export function programMarks(text: string): TextMark[] {
  return stringsOf(text).flatMap((string) =>
    isProgram(string)
      ? lint(string.value).map((finding) =>
          markAt(text, finding, offsetInText(text, string, finding.start), offsetInText(text, string, finding.end)),
        )
      : [],
  );
}

function isProgram({ path, isKey }: JsonString): boolean {
  const [list, holder] = [path.at(-2), path.at(-3)];
  if (isKey || typeof path.at(-1) !== 'number') return false;
  return (
    (list === 'expressions' && holder === 'condition') ||
    (list === 'conditions' && (holder === undefined || holder === 'policy'))
  );
}

/** The same for what fails with this context. */
export function failureMarks(text: string, failures: readonly TemplateError[]): TextMark[] {
  const strings = stringsOf(text);
  return failures.flatMap((failure) => {
    const path = JSON.stringify(failure.path);
    const string = strings.find(
      (each) => JSON.stringify(each.path) === path && each.value === (failure.place?.text ?? each.value),
    );
    if (!string) return [];
    const { start, end } = failure.place ?? { start: 0, end: string.value.length };
    return [
      markAt(
        text,
        { severity: 'error', message: failure.reason },
        offsetInText(text, string, start),
        offsetInText(text, string, end),
      ),
    ];
  });
}

function stringsOf(text: string): ReturnType<typeof jsonStrings> {
  try {
    JSON.parse(text);
    return jsonStrings(text);
  } catch {
    return [];
  }
}

export type TestResult =
  | { kind: 'rendered'; value: unknown; failures: readonly TemplateError[] }
  | { kind: 'failed'; message: string; failures: readonly TemplateError[] };

/** What would be sent for a sample. Blocks that fail give null there, and are told beside it. */
export function testTemplate(document: unknown, context: unknown): TestResult {
  const template = compileTemplate(document as Json);
  const failures = template.diagnose(context as Json);
  const rendered = template.render(context as Json);
  return rendered.ok
    ? { kind: 'rendered', value: rendered.value, failures }
    : { kind: 'failed', message: rendered.error.message, failures };
}
