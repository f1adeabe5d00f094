import { Group, MultiSelect, NumberInput, Select, Stack, Switch, TextInput } from '@mantine/core';
import type { ActionInput, UserInputs } from '@quayside/contracts';
import { choicesOf, isJq, resolveForm } from '@quayside/expressions';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { useBlueprint, useBlueprints } from '../../blueprints/index.ts';
import { FieldControl } from '../field-control.tsx';
import { kindOf, toDraft, toValue } from '../field-kinds.ts';
import { callerQuery } from '../queries.ts';
import { ChoicesEditor } from './choices-editor.tsx';
import { withKey } from './document.ts';
import { DynamicField } from './dynamic-field.tsx';
import { rulesOf } from './input-types.ts';
import { JsonPane } from './json-pane.tsx';

interface InputRulesProps {
  inputs: UserInputs;
  name: string;
  input: ActionInput;
  onChange: (input: ActionInput) => void;
}

/** What an input takes, and when it is there: each as far as its kind knows it. */
export function InputRules({ inputs, name, input, onChange }: InputRulesProps): ReactNode {
  const { data: user = null } = useQuery(callerQuery);
  const { path, rules } = rulesOf(input);
  const set = (key: string, value: unknown): void => onChange(withKey(input, key, value));
  const setRule = (key: string, value: unknown): void =>
    path === undefined
      ? set(key, value)
      : onChange({ ...input, [path]: withKey(rules, key, value) as Record<string, unknown> });
  const sample = useMemo(() => {
    const { values } = resolveForm(inputs, {}, { entity: null, user, entities: new Map() });
    const names = Object.keys(inputs.properties);
    return { form: Object.fromEntries(names.map((each) => [each, values[each] ?? null])), entity: null, user };
  }, [inputs, user]);
  const others = Object.keys(inputs.properties).filter((each) => each !== name);
  const isText = rules.type === 'string' && rules.enum === undefined;
  const hasChoices = choicesOf(input) !== undefined;
  return (
    <Stack>
      {rules.format === 'entity' && <EntityRules input={input} rules={rules} setRule={setRule} set={set} />}
      {hasChoices && (
        <DynamicField
          label="Choices"
          value={isJq(rules.enum) ? rules.enum : undefined}
          sample={sample}
          onChange={(value) => setRule('enum', value ?? [])}
        >
          <ChoicesEditor
            isNumber={rules.type === 'number'}
            choices={Array.isArray(rules.enum) ? rules.enum : []}
            colours={rules.enumColors ?? {}}
            onChange={(choices, colours) => {
              const next = withKey(withKey(rules, 'enum', choices), 'enumColors', colours);
              onChange(path === undefined ? next : { ...input, [path]: next as Record<string, unknown> });
            }}
          />
        </DynamicField>
      )}
      {isText && rules.format === undefined && (
        <>
          <Group grow align="flex-start">
            <Bound label="Least characters" keyword="minLength" rules={rules} setRule={setRule} />
            <Bound label="Most characters" keyword="maxLength" rules={rules} setRule={setRule} />
          </Group>
          <DynamicField
            label="Pattern"
            value={isJq(rules.pattern) ? rules.pattern : undefined}
            sample={sample}
            onChange={(value) => setRule('pattern', value)}
          >
            <TextInput
              label="Pattern"
              description="A regular expression that the whole value is searched with; ^ and $ are its ends."
              className="q-code-input"
              placeholder="^[a-z][a-z0-9-]*$"
              value={typeof rules.pattern === 'string' ? rules.pattern : ''}
              onChange={(event) => setRule('pattern', event.currentTarget.value || undefined)}
            />
          </DynamicField>
        </>
      )}
      {rules.type === 'number' && !hasChoices && (
        <Group grow align="flex-start">
          <Bound label="Minimum" keyword="minimum" rules={rules} setRule={setRule} />
          <Bound label="Maximum" keyword="maximum" rules={rules} setRule={setRule} />
          <Bound label="More than" keyword="exclusiveMinimum" rules={rules} setRule={setRule} />
          <Bound label="Less than" keyword="exclusiveMaximum" rules={rules} setRule={setRule} />
        </Group>
      )}
      {input.type === 'array' && (
        <>
          {(['minItems', 'maxItems'] as const).map((keyword) => {
            const label = keyword === 'minItems' ? 'Least items' : 'Most items';
            const limit = input[keyword];
            return (
              <DynamicField
                key={keyword}
                label={label}
                value={isJq(limit) ? limit : undefined}
                sample={sample}
                onChange={(value) => set(keyword, value)}
              >
                <Bound label={label} keyword={keyword} rules={input} setRule={set} />
              </DynamicField>
            );
          })}
          <Switch
            label="Each item once"
            checked={input.uniqueItems === true}
            onChange={(event) => set('uniqueItems', event.currentTarget.checked || undefined)}
          />
        </>
      )}
      {input.encryption !== undefined && <EncryptionRule input={input} set={set} />}
      {input.encryption === undefined && (
        <DynamicField
          label="Default"
          value={isJq(input.default) ? input.default : undefined}
          sample={sample}
          onChange={(value) => set('default', value)}
        >
          <DefaultValue input={input} onChange={(value) => set('default', value)} />
        </DynamicField>
      )}
      <DynamicField
        label="Visible"
        value={isJq(input.visible) ? input.visible : undefined}
        sample={sample}
        onChange={(value) => set('visible', value)}
      >
        <Switch
          label="Visible"
          checked={input.visible !== false}
          onChange={(event) => set('visible', event.currentTarget.checked ? undefined : false)}
        />
      </DynamicField>
      <DynamicField
        label="Disabled"
        value={isJq(input.disabled) ? input.disabled : undefined}
        sample={sample}
        onChange={(value) => set('disabled', value)}
      >
        <Switch
          label="Disabled"
          checked={input.disabled === true}
          onChange={(event) => set('disabled', event.currentTarget.checked || undefined)}
        />
      </DynamicField>
      <MultiSelect
        label="Depends on"
        description="It waits until these are filled in, and starts again when one of them changes."
        data={others.map((value) => ({ value, label: inputs.properties[value]?.title ?? value }))}
        value={input.dependsOn ?? []}
        onChange={(list) => set('dependsOn', list.length > 0 ? list : undefined)}
      />
    </Stack>
  );
}

function Bound({
  label,
  keyword,
  rules,
  setRule,
}: {
  label: string;
  keyword: string;
  rules: ActionInput;
  setRule: (key: string, value: unknown) => void;
}): ReactNode {
  const value = (rules as Record<string, unknown>)[keyword];
  return (
    <NumberInput
      label={label}
      value={typeof value === 'number' ? value : ''}
      onChange={(next) => setRule(keyword, typeof next === 'number' ? next : undefined)}
    />
  );
}

function EntityRules({
  input,
  rules,
  set,
  setRule,
}: {
  input: ActionInput;
  rules: ActionInput;
  set: (key: string, value: unknown) => void;
  setRule: (key: string, value: unknown) => void;
}): ReactNode {
  const { data: blueprints = [] } = useBlueprints();
  const properties = Object.entries(useBlueprint(rules.blueprint)?.schema.properties ?? {});
  return (
    <>
      <Select
        label="Blueprint"
        withAsterisk
        searchable
        allowDeselect={false}
        data={blueprints.map((each) => ({ value: each.identifier, label: each.title }))}
        value={rules.blueprint || null}
        onChange={(blueprint) => setRule('blueprint', blueprint ?? '')}
      />
      <Group grow align="flex-start">
        <Select
          label="Sort by"
          clearable
          clearButtonProps={{ 'aria-label': 'Clear Sort by' }}
          placeholder="Title"
          data={[
            { value: '$title', label: 'Title' },
            { value: '$identifier', label: 'Identifier' },
            { value: '$updatedAt', label: 'Last change' },
            ...properties.map(([value, property]) => ({ value, label: property.title ?? value })),
          ]}
          value={input.sort?.property ?? null}
          onChange={(property) => set('sort', property ? { property, order: input.sort?.order ?? 'ASC' } : undefined)}
        />
        <Select
          label="Direction"
          allowDeselect={false}
          disabled={input.sort === undefined}
          data={[
            { value: 'ASC', label: 'Ascending' },
            { value: 'DESC', label: 'Descending' },
          ]}
          value={input.sort?.order ?? 'ASC'}
          onChange={(order) => set('sort', { property: input.sort?.property ?? '$title', order })}
        />
      </Group>
      <JsonPane
        label="Dataset"
        description="Which entities can be chosen: rules as in a search; a value may be {“jqQuery”: “.form.…”}. Empty = all."
        minRows={3}
        value={rules.dataset}
        onText={(text) => {
          if (text.trim() === '') {
            setRule('dataset', undefined);
            return undefined;
          }
          try {
            const dataset = JSON.parse(text) as { rules?: unknown } | null;
            if (!Array.isArray(dataset?.rules)) return 'Write an object like {"combinator": "and", "rules": []}.';
            setRule('dataset', dataset);
            return undefined;
          } catch {
            return 'This is not valid JSON.';
          }
        }}
      />
    </>
  );
}

function EncryptionRule({ input, set }: { input: ActionInput; set: (key: string, value: unknown) => void }): ReactNode {
  const { encryption } = input;
  const isClientSide = typeof encryption === 'object';
  return (
    <>
      <Select
        label="Encrypted"
        allowDeselect={false}
        data={[
          { value: 'aes256-gcm', label: 'By the portal, with the organization’s secret' },
          { value: 'client-side', label: 'In the browser, for the holder of a private key' },
        ]}
        value={isClientSide ? 'client-side' : 'aes256-gcm'}
        onChange={(scheme) =>
          set('encryption', scheme === 'client-side' ? { algorithm: 'client-side', key: '' } : 'aes256-gcm')
        }
      />
      {isClientSide && (
        <TextInput
          label="Public key"
          description="PEM, RSA, beginning with -----BEGIN PUBLIC KEY-----"
          className="q-code-input"
          value={encryption.key}
          onChange={(event) => set('encryption', { ...encryption, key: event.currentTarget.value })}
        />
      )}
    </>
  );
}

/** The default as the person would fill it in, with the input's own control. */
function DefaultValue({ input, onChange }: { input: ActionInput; onChange: (value: unknown) => void }): ReactNode {
  const { description: _description, dependsOn: _dependsOn, ...shown } = input;
  const given = isJq(input.default) ? undefined : input.default;
  const form = resolveForm(
    { properties: { value: { ...shown, title: 'Default', visible: true, disabled: false } as ActionInput } },
    given === undefined ? { value: null } : { value: given },
    { entity: null, user: null, entities: new Map() },
  );
  const state = form.inputs.value;
  if (!state) return null;
  return (
    <FieldControl
      field={{
        ...state,
        name: 'value',
        input,
        kind: kindOf(input),
        label: 'Default',
        hint: undefined,
        draft: toDraft(input, given),
      }}
      error={undefined}
      onChange={(draft) => {
        const parsed = toValue(input, draft);
        if (parsed.kind === 'value') onChange(parsed.value);
      }}
      register={() => {}}
    />
  );
}
