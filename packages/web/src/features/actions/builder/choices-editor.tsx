import { ActionIcon, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { colours as colourNames } from '@quayside/contracts';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ColourDot } from '../../../ui/index.ts';

interface ChoicesEditorProps {
  isNumber: boolean;
  choices: readonly unknown[];
  colours: Readonly<Record<string, string>>;
  onChange: (choices: unknown[], colours: Record<string, string> | undefined) => void;
}

/** The list of choices, each with its colour. A colour goes by the text of its choice, and moves along when that changes. */
export function ChoicesEditor({ isNumber, choices, colours, onChange }: ChoicesEditorProps): ReactNode {
  const texts = choices.map((choice) => (typeof choice === 'object' ? JSON.stringify(choice) : String(choice)));
  const save = (next: readonly string[], nextColours: Readonly<Record<string, string>>): void => {
    const kept = Object.fromEntries(Object.entries(nextColours).filter(([key]) => next.includes(key)));
    const values = next.map((text, index) => (text === texts[index] ? choices[index] : read(text, isNumber)));
    onChange(values, Object.keys(kept).length > 0 ? kept : undefined);
  };
  return (
    <Stack gap={6}>
      <Text size="sm" fw={500}>
        Choices
      </Text>
      {texts.map((text, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a choice is its place while it is typed
        <Group key={index} gap={6} wrap="nowrap">
          <TextInput
            aria-label={`Choice ${index + 1}`}
            flex={1}
            value={text}
            onChange={(event) => {
              const next = texts.map((each, at) => (at === index ? event.currentTarget.value : each));
              const { [text]: colour, ...rest } = colours;
              save(next, colour ? { ...rest, [event.currentTarget.value]: colour } : rest);
            }}
          />
          <Select
            aria-label={`Colour of choice ${index + 1}`}
            w={150}
            placeholder="No colour"
            clearable
            clearButtonProps={{ 'aria-label': `Clear colour of choice ${index + 1}` }}
            data={[...colourNames]}
            leftSection={<ColourDot colour={colours[text]} />}
            renderOption={({ option }) => (
              <Group gap={8}>
                <ColourDot colour={option.value} />
                {option.label}
              </Group>
            )}
            value={colours[text] ?? null}
            onChange={(colour) => {
              const { [text]: _before, ...rest } = colours;
              save(texts, colour ? { ...rest, [text]: colour } : rest);
            }}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove choice ${index + 1}`}
            onClick={() =>
              save(
                texts.filter((_each, at) => at !== index),
                colours,
              )
            }
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Button
        variant="default"
        size="compact-sm"
        leftSection={<IconPlus size={14} />}
        style={{ alignSelf: 'flex-start' }}
        onClick={() => save([...texts, isNumber ? String(texts.length + 1) : ''], colours)}
      >
        Choice
      </Button>
    </Stack>
  );
}

function read(text: string, isNumber: boolean): unknown {
  const number = Number(text);
  return isNumber && text.trim() !== '' && Number.isFinite(number) ? number : text;
}
