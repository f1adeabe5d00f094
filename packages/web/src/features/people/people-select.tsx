import { MultiSelect, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode, Ref } from 'react';
import { teamsQuery, usersQuery } from './queries.ts';

interface PeopleSelectProps {
  kind: 'user' | 'team';
  isMany?: boolean;
  label: ReactNode;
  description?: ReactNode;
  error?: ReactNode;
  isRequired?: boolean;
  isDisabled?: boolean;
  isFirst?: boolean;
  value: readonly string[];
  onChange: (value: string[]) => void;
  inputRef?: Ref<HTMLInputElement>;
}

/** Users by e-mail, teams by name. What is chosen and no longer there stays visible, so that it can be taken out. */
export function PeopleSelect({ kind, isMany = false, value, onChange, ...props }: PeopleSelectProps): ReactNode {
  const users = useQuery({ ...usersQuery, enabled: kind === 'user' });
  const teams = useQuery({ ...teamsQuery, enabled: kind === 'team' });
  const known =
    kind === 'user'
      ? (users.data ?? []).map((user) => ({
          value: user.email,
          label: `${`${user.firstName} ${user.lastName}`.trim() || user.email} (${user.email})`,
        }))
      : (teams.data ?? []).map((team) => ({ value: team.name, label: team.name }));
  const gone = value.filter((each) => !known.some((option) => option.value === each));
  const shared = {
    label: props.label,
    description: props.description,
    error: props.error,
    withAsterisk: props.isRequired ?? false,
    'aria-required': props.isRequired || undefined,
    disabled: props.isDisabled ?? false,
    'data-autofocus': props.isFirst || undefined,
    ref: props.inputRef as Ref<never>,
    data: [...known, ...gone.map((each) => ({ value: each, label: each }))],
    searchable: true,
    clearable: !props.isRequired,
    clearButtonProps: { 'aria-label': `Clear ${String(props.label)}` },
    limit: 100,
    nothingFoundMessage: kind === 'user' ? 'No such user' : 'No such team',
  };
  return isMany ? (
    <MultiSelect {...shared} value={[...value]} onChange={onChange} />
  ) : (
    <Select
      {...shared}
      value={value[0] ?? null}
      placeholder="Choose …"
      onChange={(chosen) => onChange(chosen === null ? [] : [chosen])}
    />
  );
}
