import {
  Group,
  MultiSelect,
  NumberInput,
  PasswordInput,
  Select,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ReactNode, Ref } from 'react';
import { ColourDot } from '../../ui/index.ts';
import { EntitySelect } from '../entities/index.ts';
import { itemsOf, optionKey } from './field-kinds.ts';
import type { Field } from './form-model.ts';

interface FieldControlProps {
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
    label: field.label,
    description: describe(field),
    error,
    withAsterisk: field.isRequired,
    // The form judges and names the mistake; the browser's own bubbles would come first and in another language.
    'aria-required': field.isRequired || undefined,
    disabled: field.isDisabled,
    'data-autofocus': isFirst || undefined,
    ref: register as Ref<never>,
  };
  const text = typeof draft === 'string' ? draft : '';
  switch (field.kind) {
    case 'boolean':
      return (
        <Switch
          {...shared}
          label={field.isRequired ? `${field.label} *` : field.label}
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
      return (
        <Select
          {...shared}
          data={optionsOf(field)}
          value={text || null}
          searchable={field.options.length > 7}
          clearable={!field.isRequired}
          clearButtonProps={{ 'aria-label': `Clear ${field.label}` }}
          placeholder={field.options.length === 0 ? 'There are no choices' : 'Choose …'}
          leftSection={text ? <ColourDot colour={colourOf(field, text)} /> : undefined}
          leftSectionWidth={text && colourOf(field, text) ? 30 : 12}
          renderOption={({ option, checked = false }) => (
            <Option field={field} label={option.label} value={option.value} isChosen={checked} />
          )}
          onChange={(value) => onChange(value ?? undefined)}
        />
      );
    case 'multi-select':
      return (
        <MultiSelect
          {...shared}
          data={optionsOf(field)}
          value={listOf(draft)}
          searchable
          clearable={!field.isRequired}
          clearButtonProps={{ 'aria-label': `Clear ${field.label}` }}
          renderOption={({ option, checked = false }) => (
            <Option field={field} label={option.label} value={option.value} isChosen={checked} />
          )}
          onChange={onChange}
        />
      );
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
          label={field.label}
          description={shared.description}
          error={error}
          isRequired={field.isRequired}
          isDisabled={field.isDisabled}
          isFirst={isFirst}
          isMany={field.kind === 'entities'}
          blueprint={field.blueprint ?? ''}
          query={field.query}
          sort={input.sort}
          value={field.kind === 'entities' ? listOf(draft) : text ? [text] : []}
          inputRef={register as Ref<HTMLInputElement>}
          onChange={(identifiers) => onChange(field.kind === 'entities' ? identifiers : identifiers[0])}
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
    case 'json':
      return (
        <Textarea
          {...shared}
          value={text}
          autosize
          minRows={field.kind === 'json' ? 4 : 3}
          maxRows={16}
          {...(field.kind === 'json' || input.format === 'yaml' || input.format === 'proto'
            ? {
                styles: { input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.8rem' } },
                spellCheck: false,
              }
            : {})}
          {...(field.kind === 'json' ? { placeholder: input.type === 'array' ? '[ ]' : '{ }' } : {})}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
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

function Option({
  field,
  label,
  value,
  isChosen,
}: {
  field: Field;
  label: string;
  value: string;
  isChosen: boolean;
}): ReactNode {
  return (
    <Group gap={8} wrap="nowrap" flex={1}>
      <ColourDot colour={colourOf(field, value)} />
      <Text size="sm" flex={1}>
        {label}
      </Text>
      {isChosen && <IconCheck size={15} aria-hidden="true" />}
    </Group>
  );
}

function colourOf(field: Field, key: string): string | undefined {
  const colours = field.input.enumColors ?? (itemsOf(field.input)?.enumColors as Record<string, string> | undefined);
  return colours?.[key];
}

function optionsOf(field: Field): { value: string; label: string }[] {
  const seen = new Set<string>();
  return field.options.flatMap((option) => {
    const value = optionKey(option);
    if (seen.has(value)) return [];
    seen.add(value);
    return [{ value, label: value }];
  });
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
