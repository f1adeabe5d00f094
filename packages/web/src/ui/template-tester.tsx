import { Button, Stack, Text } from '@mantine/core';
import { type ReactNode, useMemo, useState } from 'react';
import { CodeBlock } from './code-block.tsx';
import { CodeEditor } from './code-editor.tsx';
import { completeJson } from './complete-text.ts';
import { jsonMistake } from './json-mistake.ts';
import { failureMarks, templateMarks, testTemplate } from './template-marks.ts';
import { type PastSample, SampleEditor, useTestSample } from './test-jq.tsx';

/** What a backend gets for a sample, and which expressions fail, each at its place. */
export function TemplateTester({
  made,
  madeLabel,
  past,
  template: own,
  ownWord,
}: {
  made: unknown;
  madeLabel: string;
  past: readonly PastSample[];
  /** The template that is saved, or about to be. */
  template: unknown;
  /** Whose that is. */
  ownWord: string;
}): ReactNode {
  const sample = useTestSample(made);
  const [template, setTemplate] = useState<string | undefined>();
  const text = template ?? JSON.stringify(own, null, 2);
  const result = useMemo(() => judge(text, sample.value), [text, sample.value]);
  const mistake = jsonMistake(text);
  return (
    <Stack mt="sm" gap="sm">
      <SampleEditor
        sample={sample}
        label="What expressions see"
        madeLabel={madeLabel}
        past={past}
        extra={
          template !== undefined && (
            <Button variant="subtle" onClick={() => setTemplate(undefined)}>
              Back to the {ownWord}’s own
            </Button>
          )
        }
      />
      <CodeEditor
        label="Template"
        description={`Change it here to try things out; the ${ownWord} keeps its own. “{{ . }}” shows everything.`}
        value={text}
        minRows={4}
        maxHeight={320}
        complete={completeJson({ templates: sample.value })}
        marks={mistake ? [mistake] : result.marks}
        onChange={setTemplate}
      />
      {result.message && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {result.message}
        </Text>
      )}
      <CodeBlock label="What is sent" text={result.text} />
    </Stack>
  );
}

function judge(templateText: string, context: unknown) {
  const nothing = { text: '', marks: [] as ReturnType<typeof templateMarks>, message: undefined };
  let template: unknown;
  try {
    template = JSON.parse(templateText);
  } catch {
    return nothing;
  }
  if (context === undefined) return nothing;
  if (typeof context !== 'object' || context === null || Array.isArray(context))
    return { ...nothing, message: 'What expressions see must be a JSON object.' };
  const result = testTemplate(template, context);
  const written = templateMarks(templateText);
  const failed = failureMarks(templateText, result.failures).filter(
    (mark) =>
      !written.some((other) => other.severity === 'error' && other.start <= mark.start && mark.start <= other.end),
  );
  return {
    text: result.kind === 'rendered' ? (JSON.stringify(result.value, null, 2) ?? 'Nothing.') : '',
    marks: [...written, ...failed],
    message: result.kind === 'failed' ? `Nothing is sent; the run ends with: ${result.message}` : undefined,
  };
}
