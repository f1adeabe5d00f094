import { ActionIcon, Alert, Button, Collapse, Group, Menu, Stack, Text, TextInput } from '@mantine/core';
import type { UserInputs } from '@quayside/contracts';
import { isJq } from '@quayside/expressions';
import { IconArrowDown, IconArrowUp, IconDots, IconGripVertical, IconPlus } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Chip } from '../../../ui/index.ts';
import { isObject } from './document.ts';
import { DynamicField } from './dynamic-field.tsx';
import {
  changeStep,
  changeTitle,
  isRequiredByList,
  move,
  moveTo,
  type Place,
  placesOf,
  withInput,
  withoutPlace,
  withStep,
  withTitle,
} from './form-layout.ts';
import { InputDialog } from './input-dialog.tsx';
import { typeLabel } from './input-types.ts';
import { JsonPane } from './json-pane.tsx';
import { TextDialog } from './text-dialog.tsx';
import type { Builder } from './use-action-builder.ts';

type Asked = { kind: 'input'; name: string | undefined } | { kind: 'title' | 'step'; key: string | undefined };

export function FormTab({ builder }: { builder: Builder }): ReactNode {
  const { draft } = builder;
  const inputs = draft.trigger.userInputs;
  const [asked, setAsked] = useState<Asked | undefined>();
  const [isAdvanced, setAdvanced] = useState(false);
  const change = (userInputs: UserInputs): void =>
    builder.change({ ...draft, trigger: { ...draft.trigger, userInputs } });
  const places = placesOf(inputs);
  const hasInputs = Object.keys(inputs.properties).length > 0;
  const mistakes = builder.mistakes.filter(({ path }) => path.startsWith('body.trigger.userInputs'));
  return (
    <Stack gap="md">
      {mistakes.length > 0 && (
        <Alert color="red" variant="light" role="alert" title="The form is not right yet">
          <ul className="q-plain">
            {mistakes.map(({ path, message }) => (
              <li key={`${path} ${message}`}>
                <span className="q-mono">{path.slice('body.trigger.userInputs.'.length)}</span> {message}
              </li>
            ))}
          </ul>
        </Alert>
      )}
      {places.length === 0 && (
        <Text size="sm" c="dimmed">
          No inputs: the action starts with one click.
        </Text>
      )}
      <ol className="q-places">
        {places.map((place, index) => (
          <PlaceRow
            key={`${place.kind} ${place.key}`}
            inputs={inputs}
            place={place}
            index={index}
            isLast={index === places.length - 1}
            onEdit={() =>
              setAsked(
                place.kind === 'input' ? { kind: 'input', name: place.key } : { kind: place.kind, key: place.key },
              )
            }
            onChange={change}
          />
        ))}
      </ol>
      <Group gap="xs">
        <Button
          variant="light"
          leftSection={<IconPlus size={16} />}
          onClick={() => setAsked({ kind: 'input', name: undefined })}
        >
          Input
        </Button>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          onClick={() => setAsked({ kind: 'title', key: undefined })}
        >
          Title
        </Button>
        {hasInputs && (
          <Button
            variant="default"
            leftSection={<IconPlus size={16} />}
            onClick={() => setAsked({ kind: 'step', key: undefined })}
          >
            Step
          </Button>
        )}
      </Group>
      {hasInputs && (
        <>
          <Button
            variant="subtle"
            size="compact-sm"
            style={{ alignSelf: 'flex-start' }}
            aria-expanded={isAdvanced}
            onClick={() => setAdvanced(!isAdvanced)}
          >
            Advanced configuration
          </Button>
          <Collapse expanded={isAdvanced}>{isAdvanced && <Advanced inputs={inputs} onChange={change} />}</Collapse>
        </>
      )}
      {asked?.kind === 'input' && (
        <InputDialog
          inputs={inputs}
          name={asked.name}
          onClose={() => setAsked(undefined)}
          onSave={(name, input, isRequired) => {
            change(withInput(inputs, asked.name, name, input, isRequired));
            setAsked(undefined);
          }}
        />
      )}
      {(asked?.kind === 'title' || asked?.kind === 'step') && (
        <TextDialog
          kind={asked.kind}
          start={asked.key === undefined ? undefined : headingOf(inputs, { kind: asked.kind, key: asked.key })}
          onClose={() => setAsked(undefined)}
          onSave={(heading) => {
            setAsked(undefined);
            if (asked.kind === 'title')
              change(
                asked.key === undefined
                  ? lastTitle(withTitle(inputs, heading.title), heading)
                  : changeTitle(inputs, asked.key, defined(heading)),
              );
            else if (asked.key === undefined) {
              const next = withStep(inputs, heading.title);
              change(changeStep(next, (next.steps?.length ?? 1) - 1, visibleOf(heading)));
            } else change(changeStep(inputs, Number(asked.key), { title: heading.title, ...visibleOf(heading) }));
          }}
        />
      )}
    </Stack>
  );
}

interface Heading {
  title: string;
  description?: string | undefined;
  visible?: boolean | { jqQuery: string } | undefined;
}

function visibleOf({ visible }: Heading): { visible?: boolean | { jqQuery: string } } {
  return visible === undefined ? {} : { visible };
}

/** Without the keys that say nothing. */
function defined({ title, description, visible }: Heading) {
  return { title, ...(description ? { description } : {}), ...visibleOf({ title, visible }) };
}

function lastTitle(inputs: UserInputs, heading: Heading): UserInputs {
  const key = Object.keys(inputs.titles ?? {}).at(-1);
  return key === undefined ? inputs : changeTitle(inputs, key, defined(heading));
}

function headingOf(inputs: UserInputs, place: Place): Heading | undefined {
  return place.kind === 'title' ? inputs.titles?.[place.key] : inputs.steps?.[Number(place.key)];
}

function PlaceRow({
  inputs,
  place,
  index,
  isLast,
  onEdit,
  onChange,
}: {
  inputs: UserInputs;
  place: Place;
  index: number;
  isLast: boolean;
  onEdit: () => void;
  onChange: (inputs: UserInputs) => void;
}): ReactNode {
  const input = place.kind === 'input' ? inputs.properties[place.key] : undefined;
  const name = input ? (input.title ?? place.key) : (headingOf(inputs, place)?.title ?? place.key);
  const what = input ? typeLabel(input) : place.kind === 'title' ? 'Title' : `Step ${Number(place.key) + 1}`;
  return (
    <li
      className="q-place"
      data-kind={place.kind}
      draggable
      onDragStart={(event) => event.dataTransfer.setData('text/plain', String(index))}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onChange(moveTo(inputs, Number(event.dataTransfer.getData('text/plain')), index));
      }}
    >
      <IconGripVertical size={16} aria-hidden="true" className="q-dim" />
      <span className="q-place-name q-wrap">
        {name}
        {input && isRequiredByList(inputs, place.key) && <span className="q-error"> *</span>}
        {input?.title && <span className="q-dim q-mono"> {place.key}</span>}
      </span>
      <Chip tone="calm">{what}</Chip>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Move ${name} up`}
        disabled={index === 0}
        onClick={() => onChange(move(inputs, index, -1))}
      >
        <IconArrowUp size={16} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Move ${name} down`}
        disabled={isLast}
        onClick={() => onChange(move(inputs, index, 1))}
      >
        <IconArrowDown size={16} />
      </ActionIcon>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={`More for ${name}`}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={onEdit}>Edit</Menu.Item>
          <Menu.Item c="var(--mantine-color-error)" onClick={() => onChange(withoutPlace(inputs, index))}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}

function Advanced({ inputs, onChange }: { inputs: UserInputs; onChange: (inputs: UserInputs) => void }): ReactNode {
  return (
    <Stack gap="md">
      <DynamicField
        label="Required inputs"
        description="A program yields the names of the inputs that are required now."
        value={isJq(inputs.required) ? inputs.required : undefined}
        sample={{ form: {}, entity: null, user: {} }}
        onChange={(required) => onChange({ ...inputs, required: required ?? [] })}
      >
        <TextInput
          label="Required inputs"
          readOnly
          value={Array.isArray(inputs.required) ? inputs.required.join(', ') : ''}
          placeholder="None; each input says so itself"
        />
      </DynamicField>
      <JsonPane
        label="Form as JSON"
        value={inputs}
        onText={(text) => {
          try {
            const value: unknown = JSON.parse(text);
            if (!isObject(value) || !isObject(value.properties) || !Object.values(value.properties).every(isObject))
              return '"properties" must be an object with an object for each input.';
            onChange(value as unknown as UserInputs);
            return undefined;
          } catch {
            return 'This is not valid JSON.';
          }
        }}
      />
    </Stack>
  );
}
