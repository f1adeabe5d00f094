import { Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { CodeBlock, CodeEditor, Dialog, jsonMistake } from '../../ui/index.ts';
import { formLink } from './form-link.ts';
import type { SelfServiceAction } from './queries.ts';

/** Makes an address that opens the form of an action filled in, from what it shall hold. */
export function LinkDialog({ action, onClose }: { action: SelfServiceAction; onClose: () => void }): ReactNode {
  const { properties } = action.trigger.userInputs;
  const [text, setText] = useState('{\n  \n}');
  const mark = jsonMistake(text);
  const values = mark ? undefined : readObject(text);
  const unknown = Object.keys(values ?? {}).filter((name) => name !== '$targetEntity' && !properties[name]);
  const needsTarget = action.trigger.operation !== 'CREATE' && action.trigger.blueprintIdentifier !== undefined;
  return (
    <Dialog title={`Link to the form of ${action.title ?? action.identifier}`} size="lg" onClose={onClose}>
      <Stack gap="md">
        <CodeEditor
          label="What the form shall hold, as JSON"
          description={[
            Object.keys(properties).length > 0 ? `Inputs: ${Object.keys(properties).join(', ')}.` : 'It has no inputs.',
            needsTarget ? '$targetEntity chooses the entity.' : '',
          ].join(' ')}
          value={text}
          onChange={setText}
          minRows={6}
          isFirst
          marks={mark ? [mark] : []}
          error={
            mark || (values && unknown.length === 0)
              ? undefined
              : values
                ? `The form has no input ${unknown.map((name) => `“${name}”`).join(', ')}.`
                : 'Write an object: { "input": value }.'
          }
        />
        <div aria-live="polite">
          {values && unknown.length === 0 ? (
            <CodeBlock label="Link" text={formLink(window.location.origin, action.identifier, values, undefined)} />
          ) : (
            <Text size="sm" c="dimmed">
              The link appears when the JSON can be read.
            </Text>
          )}
        </div>
      </Stack>
    </Dialog>
  );
}

function readObject(text: string): Record<string, unknown> | undefined {
  const value: unknown = text.trim() === '' ? {} : JSON.parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
