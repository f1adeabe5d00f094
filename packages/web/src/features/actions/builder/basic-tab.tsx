import { Autocomplete, Group, Select, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { type Operation, operations } from '@quayside/contracts';
import { IconBolt } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { IconTile } from '../../../ui/index.ts';
import { useBlueprints } from '../../blueprints/index.ts';
import { operationWords } from '../group-actions.ts';
import { type Draft, isObject, withKey } from './document.ts';
import { JsonPane } from './json-pane.tsx';
import type { Builder } from './use-action-builder.ts';

/** Any word is an icon; these give different pictures. */
const icons = [
  'Service',
  'Environment',
  'Cluster',
  'Deployment',
  'Database',
  'Server',
  'Package',
  'GitHub',
  'GitLab',
  'Slack',
  'Docker',
  'AWS',
  'Azure',
  'Google',
  'Team',
  'User',
  'Secret',
  'Lock',
  'Alert',
  'Rollback',
  'Scale',
  'Edit',
  'Create',
  'Delete',
  'Settings',
  'Toggle',
  'Test',
  'Book',
  'Tool',
];

const operationHelp: Record<Operation, string> = {
  CREATE: 'Create: makes something new',
  'DAY-2': 'Day-2: changes an entity',
  DELETE: 'Delete: removes an entity',
};

export function BasicTab({ builder }: { builder: Builder }): ReactNode {
  const { draft, change } = builder;
  const { trigger } = draft;
  const { data: blueprints = [] } = useBlueprints();
  const setTrigger = (key: string, value: unknown): void =>
    change({ ...draft, trigger: withKey(trigger, key, value) as Draft['trigger'] });
  const takesCondition = trigger.operation !== 'CREATE' && trigger.blueprintIdentifier !== undefined;
  return (
    <Stack gap="md">
      <TextInput
        label="Title"
        withAsterisk
        value={draft.title ?? ''}
        error={builder.mistakeAt('body.title') && 'Give the action a title'}
        onChange={(event) => builder.setTitle(event.currentTarget.value)}
      />
      <TextInput
        label="Identifier"
        withAsterisk
        description="What the API and Terraform call it."
        value={draft.identifier}
        disabled={builder.isSlug}
        error={builder.mistakeAt('body.identifier')}
        onChange={(event) => change({ ...draft, identifier: event.currentTarget.value })}
      />
      <Switch
        label="Make the identifier from the title"
        checked={builder.isSlug}
        onChange={(event) => builder.setSlug(event.currentTarget.checked)}
      />
      <Textarea
        label="Description"
        autosize
        minRows={2}
        value={draft.description ?? ''}
        onChange={(event) => change(withKey(draft, 'description', event.currentTarget.value || undefined))}
      />
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <IconTile name={draft.icon} fallback={IconBolt} size={36} />
        <Autocomplete
          label="Icon"
          flex={1}
          data={icons}
          value={draft.icon ?? ''}
          onChange={(icon) => change(withKey(draft, 'icon', icon || undefined))}
        />
      </Group>
      <Select
        label="Operation"
        withAsterisk
        allowDeselect={false}
        data={operations.map((value) => ({ value, label: operationHelp[value] }))}
        value={trigger.operation}
        onChange={(operation) => {
          const next = withKey(trigger, 'operation', operation);
          change({ ...draft, trigger: operation === 'CREATE' ? withKey(next, 'condition', undefined) : next });
        }}
      />
      <Select
        label="Blueprint"
        description={
          trigger.operation === 'CREATE'
            ? 'Shows the action on the pages of this blueprint.'
            : 'The action works on one entity of this blueprint.'
        }
        clearable
        clearButtonProps={{ 'aria-label': 'Clear Blueprint' }}
        searchable
        placeholder="None"
        data={blueprints.map((each) => ({ value: each.identifier, label: each.title }))}
        value={trigger.blueprintIdentifier ?? null}
        error={builder.mistakeAt('body.trigger.blueprintIdentifier')}
        onChange={(blueprint) => {
          const next = withKey(trigger, 'blueprintIdentifier', blueprint ?? undefined);
          change({ ...draft, trigger: blueprint === null ? withKey(next, 'condition', undefined) : next });
        }}
      />
      {takesCondition && (
        <JsonPane
          label="Condition"
          description="Which entities it is offered for: rules as in a search. Empty = all."
          minRows={4}
          value={trigger.condition}
          error={builder.mistakes.find(({ path }) => path.startsWith('body.trigger.condition'))?.message}
          onText={(text) => {
            if (text.trim() === '') {
              setTrigger('condition', undefined);
              return undefined;
            }
            try {
              const condition: unknown = JSON.parse(text);
              if (!isObject(condition) || !Array.isArray(condition.rules))
                return 'Write an object like {"type": "SEARCH", "combinator": "and", "rules": []}.';
              setTrigger('condition', condition);
              return undefined;
            } catch {
              return 'This is not valid JSON.';
            }
          }}
        />
      )}
      <Group grow align="flex-start">
        <TextInput
          label="Button on the card"
          placeholder={operationWords[trigger.operation]}
          maxLength={15}
          value={trigger.actionCardButtonText ?? ''}
          error={builder.mistakeAt('body.trigger.actionCardButtonText')}
          onChange={(event) => setTrigger('actionCardButtonText', event.currentTarget.value || undefined)}
        />
        <TextInput
          label="Button of the form"
          placeholder={operationWords[trigger.operation]}
          maxLength={15}
          value={trigger.executeActionButtonText ?? ''}
          error={builder.mistakeAt('body.trigger.executeActionButtonText')}
          onChange={(event) => setTrigger('executeActionButtonText', event.currentTarget.value || undefined)}
        />
      </Group>
    </Stack>
  );
}
