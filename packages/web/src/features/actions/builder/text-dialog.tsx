import { Button, Group, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { isJq } from '@quayside/expressions';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog } from '../../../ui/index.ts';
import { DynamicField } from './dynamic-field.tsx';

interface Heading {
  title: string;
  description?: string | undefined;
  visible?: boolean | { jqQuery: string } | undefined;
}

/** A title or a step of the form. */
export function TextDialog({
  kind,
  start,
  onSave,
  onClose,
}: {
  kind: 'title' | 'step';
  start: Heading | undefined;
  onSave: (heading: Heading) => void;
  onClose: () => void;
}): ReactNode {
  const [title, setTitle] = useState(start?.title ?? '');
  const [description, setDescription] = useState(start?.description ?? '');
  const [visible, setVisible] = useState(start?.visible);
  const [error, setError] = useState<string | undefined>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // The page below is a form as well, as far as React's events are concerned.
    event.stopPropagation();
    if (!title.trim()) setError(`Give the ${kind} a text`);
    else onSave({ title: title.trim(), description: description.trim() || undefined, visible });
  };
  return (
    <Dialog title={start ? `Edit ${kind}` : `New ${kind}`} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label="Text"
            withAsterisk
            data-autofocus
            maxLength={kind === 'step' ? 25 : 140}
            value={title}
            error={error}
            onChange={(event) => setTitle(event.currentTarget.value)}
          />
          {kind === 'title' && (
            <Textarea
              label="Description"
              autosize
              maxLength={1000}
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
            />
          )}
          <DynamicField
            label="Visible"
            value={isJq(visible) ? visible : undefined}
            sample={{ form: {}, entity: null, user: {} }}
            onChange={setVisible}
          >
            <Switch
              label="Visible"
              checked={visible !== false}
              onChange={(event) => setVisible(event.currentTarget.checked ? undefined : false)}
            />
          </DynamicField>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit">{start ? 'Save' : 'Add'}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
