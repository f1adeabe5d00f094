import { Group, MultiSelect, Select, Text } from '@mantine/core';
import { itemsOf } from '@quayside/expressions';
import { IconCheck } from '@tabler/icons-react';
import type { ReactNode, Ref } from 'react';
import { ColourDot } from '../../ui/index.ts';
import { optionText } from './field-kinds.ts';
import type { Field } from './form-model.ts';

interface ChoiceControlProps {
  field: Field;
  shared: {
    label: ReactNode;
    description: string | undefined;
    error: string | undefined;
    disabled: boolean;
    ref: Ref<never>;
  };
  onChange: (draft: unknown) => void;
}

/** One of the choices, or some. Choices are any JSON; a control needs texts, so each goes by its JSON. */
export function ChoiceControl({ field, shared, onChange }: ChoiceControlProps): ReactNode {
  const choices = new Map((field.choices ?? []).map((choice) => [keyOf(choice), choice]));
  const data = [...choices].map(([value, choice]) => ({ value, label: optionText(choice) }));
  const common = {
    ...shared,
    data,
    clearable: !field.isRequired,
    clearButtonProps: { 'aria-label': `Clear ${field.label}` },
    placeholder: data.length === 0 ? 'There are no choices' : 'Choose …',
    renderOption: ({ option, checked = false }: { option: { value: string; label: string }; checked?: boolean }) => (
      <Group gap={8} wrap="nowrap" flex={1}>
        <ColourDot colour={colourOf(field, option.label)} />
        <Text size="sm" flex={1}>
          {option.label}
        </Text>
        {checked && <IconCheck size={15} aria-hidden="true" />}
      </Group>
    ),
  };
  if (field.kind === 'multi-select') {
    const chosen = Array.isArray(field.draft) ? field.draft.map(keyOf) : [];
    return (
      <MultiSelect
        {...common}
        searchable
        placeholder={chosen.length > 0 ? '' : common.placeholder}
        value={chosen.filter((key) => choices.has(key))}
        onChange={(keys) => onChange(keys.map((key) => choices.get(key)))}
      />
    );
  }
  const key = field.draft === undefined ? null : keyOf(field.draft);
  const colour = key === null ? undefined : colourOf(field, optionText(field.draft));
  return (
    <Select
      {...common}
      value={key !== null && choices.has(key) ? key : null}
      searchable={data.length > 7}
      leftSection={colour ? <ColourDot colour={colour} /> : undefined}
      leftSectionWidth={colour ? 30 : 12}
      onChange={(chosen) => onChange(chosen === null ? undefined : choices.get(chosen))}
    />
  );
}

const keyOf = (choice: unknown): string => JSON.stringify(choice);

function colourOf(field: Field, text: string): string | undefined {
  return (field.input.enumColors ?? itemsOf(field.input)?.enumColors)?.[text];
}
