import { Alert, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import type { InvocationMethod } from '@quayside/contracts';
import { lintTemplate } from '@quayside/expressions';
import type { ReactNode } from 'react';
import { type Complete, completeJson, completeTemplate } from '../../../ui/complete-text.ts';
import { CodeEditor } from '../../../ui/index.ts';
import { useBlueprints } from '../../blueprints/index.ts';
import { type BackendField, backendOf, backends, valueAt, withValueAt } from './backends.ts';
import { JsonPane } from './json-pane.tsx';
import { TemplateTest } from './template-test.tsx';
import type { Builder } from './use-action-builder.ts';
import { useSample } from './use-sample.ts';

export function BackendTab({ builder }: { builder: Builder }): ReactNode {
  const { draft } = builder;
  const { invocationMethod } = draft;
  const sample = useSample(draft);
  const complete = completeJson({ templates: sample });
  const backend = backendOf(invocationMethod as { type: string });
  const change = (next: InvocationMethod): void => builder.change({ ...draft, invocationMethod: next });
  const setType = (key: string): void => {
    const chosen = backends.find((each) => each.key === key);
    if (chosen) change(chosen.start);
  };
  const placed = new Set(backend?.fields.map((field) => `body.invocationMethod.${field.path.join('.')}`));
  const others = builder.mistakes.filter(({ path }) => path.startsWith('body.invocationMethod') && !placed.has(path));
  return (
    <Stack gap="md">
      <Select
        label="Invocation type"
        withAsterisk
        allowDeselect={false}
        data={backends.map(({ key, label }) => ({ value: key, label }))}
        value={backend?.key ?? null}
        onChange={(key) => key && setType(key)}
      />
      {backend && (
        <Text size="sm" c="dimmed">
          {backend.about}
        </Text>
      )}
      {others.length > 0 && (
        <Alert color="red" variant="light" role="alert" title="The backend is not right yet">
          {others.map(({ path, message }) => `${path.slice('body.'.length)} ${message}`).join(' ')}
        </Alert>
      )}
      {backend?.fields.map((field) => (
        <FieldEditor
          key={`${backend.key} ${field.path.join('.')}`}
          field={field}
          value={valueAt(invocationMethod, field.path)}
          complete={complete}
          completeTemplate={completeTemplate(sample)}
          error={builder.mistakeAt(`body.invocationMethod.${field.path.join('.')}`)}
          onChange={(value) => change(withValueAt(invocationMethod, field.path, value))}
        />
      ))}
      <TemplateTest draft={draft} />
    </Stack>
  );
}

function FieldEditor({
  field,
  value,
  complete,
  completeTemplate,
  error,
  onChange,
}: {
  field: BackendField;
  value: unknown;
  complete: Complete;
  completeTemplate: Complete;
  error: string | undefined;
  onChange: (value: unknown) => void;
}): ReactNode {
  const { data: blueprints = [] } = useBlueprints();
  const shared = {
    label: field.label,
    description: field.description,
    error,
    withAsterisk: field.isRequired ?? false,
  };
  switch (field.kind) {
    case 'flag':
      // A template decides while the run starts; only its JSON can say that.
      if (typeof value === 'string')
        return <TextInput {...shared} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
      return (
        <Switch
          {...shared}
          label={field.label}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'choice':
      return (
        <Select
          {...shared}
          allowDeselect={false}
          data={[...(field.choices ?? [])]}
          value={typeof value === 'string' ? value : (field.choices?.[0]?.value ?? null)}
          onChange={onChange}
        />
      );
    case 'blueprint':
      return (
        <Select
          {...shared}
          searchable
          allowDeselect={false}
          data={blueprints.map((each) => ({ value: each.identifier, label: each.title }))}
          value={typeof value === 'string' && value !== '' ? value : null}
          onChange={onChange}
        />
      );
    case 'json':
    case 'headers':
      return (
        <JsonPane
          label={field.label}
          description={field.description ?? ''}
          isRequired={field.isRequired ?? false}
          minRows={field.kind === 'headers' ? 3 : 8}
          withTemplates
          complete={complete}
          value={value}
          error={error}
          onText={(text) => {
            if (text.trim() === '') {
              onChange(undefined);
              return undefined;
            }
            try {
              onChange(JSON.parse(text));
              return undefined;
            } catch {
              return 'This is not valid JSON.';
            }
          }}
        />
      );
    case 'text': {
      const text = typeof value === 'string' ? value : '';
      const wrong = lintTemplate(text).find((finding) => finding.severity === 'error');
      return (
        <CodeEditor
          label={field.label}
          description={field.description}
          isRequired={field.isRequired ?? false}
          isOneLine
          error={error ?? (wrong && `Column ${wrong.column}: ${wrong.message}`)}
          placeholder={field.placeholder ?? ''}
          value={text}
          complete={completeTemplate}
          onChange={onChange}
        />
      );
    }
  }
}
