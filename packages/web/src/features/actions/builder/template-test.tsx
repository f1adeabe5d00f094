import { Button, Collapse, Group, Select, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { completeJson } from '../../../ui/complete-text.ts';
import { CodeBlock, CodeEditor, jsonMistake } from '../../../ui/index.ts';
import { useMe } from '../../session/index.ts';
import type { Draft } from './document.ts';
import { isObject } from './document.ts';
import { recentRunsQuery } from './queries.ts';
import { contextOfRun } from './sample.ts';
import { failureMarks, templateMarks, testTemplate } from './template-marks.ts';
import { useSample } from './use-sample.ts';

/** "Test JQ": what the backend gets for a sample run, and which expressions fail, each at its place. */
export function TemplateTest({ draft }: { draft: Draft }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <div>
      <Button variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Test JQ
      </Button>
      <Collapse expanded={isOpen}>{isOpen && <Tester draft={draft} />}</Collapse>
    </div>
  );
}

function Tester({ draft }: { draft: Draft }): ReactNode {
  const { user } = useMe();
  const made = useSample(draft);
  const sample = useMemo(() => JSON.stringify(made, null, 2), [made]);
  const [own, setOwn] = useState<string | undefined>();
  const [template, setTemplate] = useState<string | undefined>();
  const { data: runs = [] } = useQuery(recentRunsQuery(draft.identifier));
  const contextText = own ?? sample;
  const templateText = template ?? JSON.stringify(draft.invocationMethod, null, 2);
  const result = useMemo(() => judge(templateText, contextText), [templateText, contextText]);
  const templateMistake = jsonMistake(templateText);
  const contextMistake = jsonMistake(contextText);
  return (
    <Stack mt="sm" gap="sm">
      <Group gap="xs" align="flex-end">
        <Select
          label="Sample"
          allowDeselect={false}
          data={[
            { value: '', label: 'Made up from the form' },
            ...runs.map((run) => ({ value: run.id, label: `Run ${run.id}` })),
          ]}
          defaultValue=""
          onChange={(id) => {
            const run = runs.find((each) => each.id === id);
            setOwn(run ? JSON.stringify(contextOfRun(draft, run, user), null, 2) : undefined);
          }}
        />
        {template !== undefined && (
          <Button variant="subtle" onClick={() => setTemplate(undefined)}>
            Back to the action’s own
          </Button>
        )}
      </Group>
      <CodeEditor
        label="What expressions see"
        value={contextText}
        minRows={4}
        maxHeight={260}
        marks={contextMistake ? [contextMistake] : []}
        onChange={setOwn}
      />
      <CodeEditor
        label="Template"
        description="Change it here to try things out; the action keeps its own. “{{ . }}” shows everything."
        value={templateText}
        minRows={4}
        maxHeight={320}
        complete={completeJson({ templates: contextMistake ? undefined : JSON.parse(contextText || 'null') })}
        marks={templateMistake ? [templateMistake] : result.marks}
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

function judge(templateText: string, contextText: string) {
  const nothing = { text: '', marks: [] as ReturnType<typeof templateMarks>, message: undefined };
  let template: unknown;
  let context: unknown;
  try {
    template = JSON.parse(templateText);
    context = JSON.parse(contextText);
  } catch {
    return nothing;
  }
  if (!isObject(context)) return { ...nothing, message: 'What expressions see must be a JSON object.' };
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
