import { Button, Group, Select, TextInput } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';

/** One of some values, or all of them. */
export function ChoiceFilter({
  label,
  all,
  values,
  value,
  onChange,
}: {
  label: string;
  all: string;
  values: readonly (readonly [value: string, word: string])[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}): ReactNode {
  return (
    <Select
      aria-label={label}
      placeholder={all}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${label.toLowerCase()}` }}
      className="q-filter"
      data={values.map(([each, word]) => ({ value: each, label: word }))}
      value={value ?? null}
      onChange={(chosen) => onChange(chosen ?? undefined)}
    />
  );
}

/** Typed whole, so it is asked for on Enter or on leaving, not at each letter. */
export function TextFilter({
  label,
  placeholder = label,
  value = '',
  onChange,
}: {
  label: string;
  placeholder?: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const done = (): void => {
    if (text.trim() !== value) onChange(text.trim() || undefined);
  };
  return (
    <TextInput
      aria-label={label}
      placeholder={placeholder}
      className="q-filter"
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done();
      }}
    />
  );
}

/** Where filters leave nothing: the way back to everything. */
export function ClearFilters({ onClear }: { onClear: () => void }): ReactNode {
  return (
    <Button size="xs" mt="xs" variant="default" onClick={onClear}>
      Clear the filters
    </Button>
  );
}

/** Below a list that is longer than what is shown. */
export function LoadMore({
  list,
}: {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
}): ReactNode {
  if (!list.hasNextPage) return null;
  return (
    <Group justify="center" mt="md">
      <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
        Load more
      </Button>
    </Group>
  );
}
