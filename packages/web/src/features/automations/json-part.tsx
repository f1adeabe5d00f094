import { Button, Group, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Complete } from '../../ui/complete-text.ts';
import { CodeEditor, ErrorPanel, jsonMistake } from '../../ui/index.ts';
import type { TextMark } from '../../ui/json-mistake.ts';

/** A part of a document as JSON, saved as a whole; what the server refuses is told with the place. */
export function JsonPart({
  label,
  description,
  value,
  submitLabel = 'Save',
  error,
  isSaving,
  isNew = false,
  complete,
  marksOf,
  onSave,
  children,
}: {
  label: string;
  description: ReactNode;
  value: unknown;
  submitLabel?: string;
  error: unknown;
  isSaving: boolean;
  /** Also saved unchanged. */
  isNew?: boolean;
  complete?: Complete;
  /** What is wrong in the text beside its JSON. */
  marksOf: (text: string) => readonly TextMark[];
  onSave: (value: unknown) => void;
  /** Below the editor, with what is written there; undefined = it is no JSON. */
  children?: (value: unknown) => ReactNode;
}): ReactNode {
  const written = JSON.stringify(value, null, 2);
  const [text, setText] = useState<string | undefined>();
  const shown = text ?? written;
  const mistake = shown.trim() === '' ? undefined : jsonMistake(shown);
  const isBroken = mistake !== undefined || shown.trim() === '';
  return (
    <Stack gap="sm">
      <CodeEditor
        label={label}
        description={description}
        value={shown}
        minRows={12}
        maxHeight={520}
        marks={mistake ? [mistake] : marksOf(shown)}
        complete={complete}
        onChange={setText}
      />
      {error !== null && error !== undefined && <ErrorPanel error={error} />}
      <Group gap="xs">
        <Button
          loading={isSaving}
          disabled={isBroken || (!isNew && shown === written)}
          onClick={() => onSave(JSON.parse(shown))}
        >
          {submitLabel}
        </Button>
        <Button variant="default" disabled={shown === written} onClick={() => setText(undefined)}>
          Undo my changes
        </Button>
      </Group>
      {children?.(isBroken ? undefined : JSON.parse(shown))}
    </Stack>
  );
}
