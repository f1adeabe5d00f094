import { Group, NumberInput, PasswordInput, Switch, TagsInput, Textarea, TextInput } from '@mantine/core';
import { personKind } from '@quayside/expressions';
import type { ReactNode, Ref } from 'react';
import { CodeEditor, glyphOf, jsonMistake } from '../../ui/index.ts';
import { EntitySelect } from '../entities/index.ts';
import { PeopleSelect } from '../people/index.ts';
import { ChoiceControl } from './choice-control.tsx';
import type { Field } from './form-model.ts';
import { MarkdownEditor } from './markdown-editor.tsx';

export interface FieldControlProps {
  field: Field;
  error: string | undefined;
  /** Takes the focus when the form opens. */
  isFirst?: boolean;
  onChange: (draft: unknown) => void;
  register: (element: HTMLElement | null) => void;
}

/** One input of the form. No logic: which control shows which kind, and nothing else. */
export function FieldControl({ field, error, isFirst = false, onChange, register }: FieldControlProps): ReactNode {
  const { input, draft } = field;
  const shared = {
    label: <FieldLabel field={field} />,
    description: describe(field),
    error,
    withAsterisk: field.isRequired,
    // The form judges and names the mistake; the browser's own bubbles would come first and in another language.
    'aria-required': field.isRequired || undefined,
    disabled: field.isDisabled,
    'data-autofocus': isFirst || undefined,
    ref: register as Ref<never>,
  };
  const ours = {
    label: shared.label,
    description: shared.description,
    error,
    isRequired: field.isRequired,
    isDisabled: field.isDisabled,
    isFirst,
  };
  const text = typeof draft === 'string' ? draft : '';
  switch (field.kind) {
    case 'boolean':
      return (
        <Switch
          {...shared}
          label={field.isRequired ? `${field.label} *` : shared.label}
          checked={draft === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...shared}
          value={typeof draft === 'number' || typeof draft === 'string' ? draft : ''}
          {...bounds(field)}
          clampBehavior="none"
          allowDecimal
          hideControls={false}
          onChange={onChange}
        />
      );
    case 'select':
    case 'multi-select':
      return <ChoiceControl field={field} shared={shared} onChange={onChange} />;
    case 'list':
      return (
        <TagsInput
          {...shared}
          value={listOf(draft)}
          allowDuplicates={input.uniqueItems !== true}
          placeholder={listOf(draft).length === 0 ? 'Type and press Enter' : ''}
          acceptValueOnBlur
          onChange={onChange}
        />
      );
    case 'entity':
    case 'entities':
      return (
        <EntitySelect
          {...ours}
          isMany={field.kind === 'entities'}
          blueprint={field.blueprint ?? ''}
          query={field.dataset}
          sort={sortOf(field)}
          value={field.kind === 'entities' ? listOf(draft) : text ? [text] : []}
          inputRef={register as Ref<HTMLInputElement>}
          onChange={(identifiers) => onChange(field.kind === 'entities' ? identifiers : identifiers[0])}
        />
      );
    case 'person':
    case 'people':
      return (
        <PeopleSelect
          {...ours}
          kind={personKind(input) ?? 'user'}
          isMany={field.kind === 'people'}
          value={field.kind === 'people' ? listOf(draft) : text ? [text] : []}
          inputRef={register as Ref<HTMLInputElement>}
          onChange={(chosen) => onChange(field.kind === 'people' ? chosen : chosen[0])}
        />
      );
    case 'date-time':
      return (
        <TextInput
          {...shared}
          type="datetime-local"
          value={text}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'multi-line':
      return (
        <Textarea
          {...shared}
          value={text}
          autosize
          minRows={3}
          maxRows={16}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'markdown':
      return <MarkdownEditor field={field} shared={shared} text={text} onChange={onChange} />;
    case 'code':
    case 'json': {
      const mark = field.kind === 'json' ? jsonMistake(text) : undefined;
      return (
        <CodeEditor
          {...ours}
          value={text}
          {...(mark ? { marks: [mark] } : {})}
          placeholder={field.kind === 'json' ? (input.type === 'array' ? '[ ]' : '{ }') : ''}
          inputRef={register as Ref<HTMLTextAreaElement>}
          onChange={onChange}
        />
      );
    }
    case 'secret':
      return (
        <PasswordInput
          {...shared}
          value={text}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case 'labeled-url':
      return <LabeledUrl field={field} error={error} onChange={onChange} register={register} />;
    case 'text':
      return (
        <TextInput
          {...shared}
          type={input.format === 'email' ? 'email' : 'text'}
          inputMode={input.format === 'url' ? 'url' : 'text'}
          placeholder={input.format === 'url' ? 'https://' : ''}
          value={text}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}

function FieldLabel({ field }: { field: Field }): ReactNode {
  if (!field.input.icon) return field.label;
  const Glyph = glyphOf(field.input.icon);
  return (
    <Group gap={6} component="span" display="inline-flex" wrap="nowrap">
      <Glyph size={15} aria-hidden="true" />
      <span>{field.label}</span>
    </Group>
  );
}

function LabeledUrl({ field, error, onChange, register }: FieldControlProps): ReactNode {
  const link = (field.draft ?? {}) as { url?: string; displayText?: string };
  return (
    <Group grow align="flex-start" gap="xs">
      <TextInput
        ref={register as Ref<HTMLInputElement>}
        label={`${field.label}: URL`}
        description={describe(field)}
        withAsterisk={field.isRequired}
        disabled={field.isDisabled}
        error={error}
        value={link.url ?? ''}
        onChange={(event) => onChange({ ...link, url: event.currentTarget.value })}
      />
      <TextInput
        label={`${field.label}: text`}
        disabled={field.isDisabled}
        value={link.displayText ?? ''}
        onChange={(event) => onChange({ ...link, displayText: event.currentTarget.value })}
      />
    </Group>
  );
}

/** Terraform writes the order of a list beside it, the API into its items. */
function sortOf({ input }: Field): { property: string; order: 'ASC' | 'DESC' } | undefined {
  return input.sort ?? (input.items as { sort?: { property: string; order: 'ASC' | 'DESC' } } | undefined)?.sort;
}

function listOf(draft: unknown): string[] {
  return Array.isArray(draft) ? draft.map(String) : [];
}

function bounds({ input }: Field): { min?: number; max?: number } {
  return {
    ...(input.minimum === undefined ? {} : { min: input.minimum }),
    ...(input.maximum === undefined ? {} : { max: input.maximum }),
  };
}

function describe(field: Field): string | undefined {
  const parts = [field.input.description, field.hint].filter(Boolean);
  return parts.length > 0 ? parts.join(' ') : undefined;
}
