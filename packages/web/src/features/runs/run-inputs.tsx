import { Text } from '@mantine/core';
import type { ActionInput, Run } from '@quayside/contracts';
import { itemsOf } from '@quayside/expressions';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Facts, Value } from '../../ui/index.ts';
import { actionQuery } from '../actions/index.ts';
import { EntityLinks } from '../entities/index.ts';

/** What was asked for, by the titles of the form; secrets only as the fact that there are some. */
export function RunInputs({ run }: { run: Run }): ReactNode {
  const { data: action } = useQuery({ ...actionQuery(run.action.identifier), retry: false });
  const inputs = action?.trigger.type === 'self-service' ? action.trigger.userInputs.properties : {};
  const rows = Object.entries(run.rawProperties);
  if (rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        This run has no inputs.
      </Text>
    );
  return (
    <Facts
      rows={rows.map(([name, value]) => {
        const input = inputs[name];
        return [input?.title ?? name, <InputValue key={name} input={input} value={value} />] as const;
      })}
    />
  );
}

function InputValue({ input, value }: { input: ActionInput | undefined; value: unknown }): ReactNode {
  if (input?.encryption !== undefined) return '••••••';
  const blueprint = input?.blueprint ?? (input?.items as ActionInput | undefined)?.blueprint;
  if (blueprint) return <EntityLinks blueprint={blueprint} value={value} />;
  return (
    <Value
      value={value}
      shape={input ? { ...input, enumColors: input.enumColors ?? itemsOf(input)?.enumColors } : {}}
    />
  );
}
