import { Alert, Button, Group, SegmentedControl, Select, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { type ActionInput, keyPattern, type UserInputs } from '@quayside/contracts';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog } from '../../../ui/index.ts';
import { isObject, slugOf, withKey } from './document.ts';
import { isRequiredByList } from './form-layout.ts';
import { InputRules } from './input-rules.tsx';
import { inputTypes, typeOf, withType } from './input-types.ts';
import { JsonPane } from './json-pane.tsx';

interface InputDialogProps {
  inputs: UserInputs;
  /** Undefined = a new input. */
  name: string | undefined;
  onSave: (name: string, input: ActionInput, isRequired: boolean) => void;
  onClose: () => void;
}

/** One input: what it is, what it takes, and when. Everything it can be is in its JSON, the usual in the form. */
export function InputDialog({ inputs, name: before, onSave, onClose }: InputDialogProps): ReactNode {
  const [input, setInput] = useState<ActionInput>(() => inputs.properties[before ?? ''] ?? { type: 'string' });
  const [name, setName] = useState(before ?? '');
  const [isSlug, setSlug] = useState(before === undefined);
  const [isRequired, setRequired] = useState(before !== undefined && isRequiredByList(inputs, before));
  const [view, setView] = useState('form');
  const [error, setError] = useState<string | undefined>();
  const set = (key: string, value: unknown): void => setInput((all) => withKey(all, key, value));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    if (!new RegExp(keyPattern).test(name)) setError('Letters, digits and @ _ = - only');
    else if (name !== before && (inputs.properties[name] || inputs.titles?.[name]))
      setError(`“${name}” exists already`);
    else onSave(name, input, isRequired);
  };
  const known = typeOf(input);
  const groups = [...new Set(inputTypes.map((type) => type.group))];
  return (
    <Dialog title={before === undefined ? 'New input' : `Edit ${input.title ?? before}`} size="xl" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <SegmentedControl
            size="xs"
            aria-label="Input as"
            style={{ alignSelf: 'flex-start' }}
            data={[
              { value: 'form', label: 'Form' },
              { value: 'json', label: 'JSON' },
            ]}
            value={view}
            onChange={setView}
          />
          <Group grow align="flex-start">
            <TextInput
              label="Title"
              data-autofocus
              value={input.title ?? ''}
              onChange={(event) => {
                const title = event.currentTarget.value;
                set('title', title || undefined);
                if (isSlug) setName(slugOf(title).replace(/[^A-Za-z0-9@_=-]/g, ''));
              }}
            />
            <TextInput
              label="Identifier"
              withAsterisk
              value={name}
              error={error}
              onChange={(event) => {
                setSlug(false);
                setError(undefined);
                setName(event.currentTarget.value);
              }}
            />
          </Group>
          {view === 'json' ? (
            <JsonPane
              label="Input as JSON"
              value={input}
              onText={(text) => {
                try {
                  const value: unknown = JSON.parse(text);
                  if (!isObject(value) || typeof value.type !== 'string') return 'An input is an object with a "type".';
                  setInput(value as unknown as ActionInput);
                  return undefined;
                } catch {
                  return 'This is not valid JSON.';
                }
              }}
            />
          ) : (
            <>
              <Select
                label="Type"
                withAsterisk
                searchable
                allowDeselect={false}
                data={groups.map((group) => ({
                  group,
                  items: inputTypes
                    .filter((type) => type.group === group)
                    .map(({ key, label }) => ({ value: key, label })),
                }))}
                value={known?.key ?? null}
                placeholder="Unusual; see its JSON"
                onChange={(key) => key && setInput(withType(input, key))}
              />
              {!known && (
                <Alert variant="light" color="harbour">
                  This input is written in a way that the form does not know. Its JSON has all of it.
                </Alert>
              )}
              <Textarea
                label="Description"
                autosize
                value={input.description ?? ''}
                onChange={(event) => set('description', event.currentTarget.value || undefined)}
              />
              <Switch
                label="Required"
                description={
                  inputs.required !== undefined && !Array.isArray(inputs.required)
                    ? 'A program of the form decides; see Advanced configuration.'
                    : undefined
                }
                disabled={inputs.required !== undefined && !Array.isArray(inputs.required)}
                checked={isRequired}
                onChange={(event) => setRequired(event.currentTarget.checked)}
              />
              <InputRules inputs={inputs} name={name} input={input} onChange={setInput} />
            </>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit">{before === undefined ? 'Add' : 'Save'}</Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
