import { Combobox, Group, Loader, Pill, PillsInput, Text, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { BodyOf, Entity, entityRoutes } from '@quayside/contracts';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import { useInfiniteQuery, useQueries } from '@tanstack/react-query';
import { type ReactNode, type Ref, useEffect, useState } from 'react';
import { entityQuery, entitySearchQuery } from './queries.ts';

interface EntitySelectProps {
  label: ReactNode;
  description?: ReactNode;
  error?: ReactNode;
  isRequired?: boolean;
  isDisabled?: boolean;
  isMany?: boolean;
  blueprint: string;
  query?: BodyOf<typeof entityRoutes.search>['query'];
  sort?: { property: string; order: 'ASC' | 'DESC' } | undefined;
  value: readonly string[];
  onChange: (identifiers: string[], entities: Entity[]) => void;
  inputRef?: Ref<HTMLInputElement>;
  /** Takes the focus when the dialog around it opens. */
  isFirst?: boolean;
}

const shownAtOnce = 50;

/**
 * Searches on the server while one types, so a catalog of any size can be chosen from. Chosen entities are pills in front
 * of the text; Backspace in the empty text removes the last one.
 */
export function EntitySelect(props: EntitySelectProps): ReactNode {
  const { value, blueprint, isMany = false } = props;
  const [text, setText] = useState('');
  const [asked] = useDebouncedValue(text, 180);
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setText('');
    },
  });
  const found = useInfiniteQuery({
    ...entitySearchQuery({
      blueprint,
      text: asked || undefined,
      query: props.query,
      sort: props.sort ?? { property: '$title', order: 'ASC' },
      limit: shownAtOnce,
    }),
    enabled: combobox.dropdownOpened,
  });
  const options = found.data?.pages.flatMap((page) => page.entities) ?? [];
  const firstFound = asked && !found.isPlaceholderData ? options[0]?.identifier : undefined;
  // Who types wants the best match: Enter takes it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the combobox is another object on every render
  useEffect(() => {
    if (firstFound) combobox.selectFirstOption();
  }, [firstFound, asked]);
  const chosen = useQueries({
    queries: value.map((identifier) => ({ ...entityQuery(blueprint, identifier), retry: false })),
  });
  const titleOf = (identifier: string): string =>
    chosen[value.indexOf(identifier)]?.data?.title ??
    options.find((e) => e.identifier === identifier)?.title ??
    identifier;
  const entitiesOf = (identifiers: readonly string[]): Entity[] =>
    identifiers.flatMap((identifier) => {
      const entity =
        options.find((each) => each.identifier === identifier) ??
        chosen.find((q) => q.data?.identifier === identifier)?.data;
      return entity ? [entity] : [];
    });
  const set = (identifiers: string[]): void => props.onChange(identifiers, entitiesOf(identifiers));
  const pick = (identifier: string): void => {
    if (!isMany) {
      set([identifier]);
      combobox.closeDropdown();
      return;
    }
    set(value.includes(identifier) ? value.filter((each) => each !== identifier) : [...value, identifier]);
    setText('');
  };

  return (
    <Combobox store={combobox} onOptionSubmit={pick} withinPortal disabled={props.isDisabled ?? false}>
      <Combobox.DropdownTarget>
        <PillsInput
          label={props.label}
          description={props.description}
          error={props.error}
          withAsterisk={props.isRequired ?? false}
          disabled={props.isDisabled ?? false}
          rightSection={
            found.isFetching ? <Loader size={14} aria-hidden="true" /> : <IconSelector size={16} aria-hidden="true" />
          }
          rightSectionPointerEvents="none"
          onClick={() => combobox.openDropdown()}
        >
          <Pill.Group>
            {value.map((identifier) => (
              <Pill
                key={identifier}
                withRemoveButton={!props.isDisabled}
                onRemove={() => set(value.filter((each) => each !== identifier))}
                removeButtonProps={{ 'aria-label': `Remove ${titleOf(identifier)}`, 'aria-hidden': false, tabIndex: 0 }}
              >
                {titleOf(identifier)}
              </Pill>
            ))}
            <Combobox.EventsTarget withExpandedAttribute>
              <PillsInput.Field
                ref={props.inputRef}
                {...(props.isFirst ? { 'data-autofocus': true } : {})}
                role="combobox"
                value={text}
                disabled={props.isDisabled ?? false}
                required={props.isRequired ?? false}
                placeholder={value.length === 0 ? 'Search …' : ''}
                onBlur={() => combobox.closeDropdown()}
                onChange={(event) => {
                  combobox.openDropdown();
                  combobox.updateSelectedOptionIndex();
                  setText(event.currentTarget.value);
                }}
                onKeyDown={(event) => {
                  if (event.key !== 'Backspace' || text !== '' || value.length === 0) return;
                  event.preventDefault();
                  set(value.slice(0, -1));
                }}
              />
            </Combobox.EventsTarget>
          </Pill.Group>
        </PillsInput>
      </Combobox.DropdownTarget>
      <Combobox.Dropdown>
        <Combobox.Options mah={260} style={{ overflowY: 'auto' }} aria-label="Entities">
          {options.map((entity) => (
            <Combobox.Option
              key={entity.identifier}
              value={entity.identifier}
              active={value.includes(entity.identifier)}
              aria-selected={value.includes(entity.identifier)}
            >
              <Group gap={8} wrap="nowrap">
                <Text size="sm" flex={1}>
                  {entity.title}
                </Text>
                {value.includes(entity.identifier) && <IconCheck size={15} aria-hidden="true" />}
              </Group>
              {entity.title !== entity.identifier && (
                <Text size="xs" c="dimmed" className="q-mono">
                  {entity.identifier}
                </Text>
              )}
            </Combobox.Option>
          ))}
          {options.length === 0 && <Combobox.Empty>{emptyText(found.isError, found.isFetching, asked)}</Combobox.Empty>}
          {found.hasNextPage && (
            <Combobox.Empty>Showing the first {options.length}. Type to narrow it down.</Combobox.Empty>
          )}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function emptyText(isError: boolean, isFetching: boolean, asked: string): string {
  if (isError) return 'The list could not be loaded.';
  if (isFetching) return 'Searching …';
  return asked ? `Nothing matches “${asked}”.` : 'There are none to choose from.';
}
