import { Menu } from '@mantine/core';
import type { Entity } from '@quayside/contracts';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { entityMatchQuery } from '../entities/index.ts';
import { useMay } from '../session/index.ts';
import { ActionForm } from './lazy-action-form.tsx';
import { actionsQuery, type SelfServiceAction } from './queries.ts';

interface EntityActionsProps {
  entity: Pick<Entity, 'identifier' | 'blueprint'>;
  /** The button that opens the menu. */
  children: ReactNode;
}

/** What can be done with one entity: the Day-2 and Delete actions of its blueprint whose condition it satisfies. */
export function EntityActions({ entity, children }: EntityActionsProps): ReactNode {
  const navigate = useNavigate();
  const mayExecute = useMay('action:execute');
  const [isOpened, setOpened] = useState(false);
  const [chosen, setChosen] = useState<SelfServiceAction | undefined>();
  const { data: actions = [] } = useQuery(actionsQuery);
  const own = actions.filter(
    ({ trigger }) => trigger.blueprintIdentifier === entity.blueprint && trigger.operation !== 'CREATE',
  );
  if (!mayExecute || own.length === 0) return null;
  return (
    <>
      <Menu position="bottom-end" opened={isOpened} onChange={setOpened} withinPortal>
        <Menu.Target>{children}</Menu.Target>
        <Menu.Dropdown>{isOpened && <Items entity={entity} actions={own} onChoose={setChosen} />}</Menu.Dropdown>
      </Menu>
      {chosen && (
        <ActionForm
          action={chosen}
          entity={entity.identifier}
          onClose={() => setChosen(undefined)}
          onStarted={(run) => void navigate({ to: '/runs/$runId', params: { runId: run.id } })}
        />
      )}
    </>
  );
}

function Items({
  entity,
  actions,
  onChoose,
}: {
  entity: EntityActionsProps['entity'];
  actions: readonly SelfServiceAction[];
  onChoose: (action: SelfServiceAction) => void;
}): ReactNode {
  const matches = useQueries({
    queries: actions.map(({ trigger: { condition } }) => ({
      ...entityMatchQuery(entity.blueprint, entity.identifier, condition),
      enabled: condition !== undefined,
    })),
  });
  // One that is not known yet is not offered: the server would refuse it.
  const offered = actions.filter(({ trigger }, index) => !trigger.condition || matches[index]?.data === true);
  const isAsking = matches.some((match) => match.isFetching && match.data === undefined);
  const day2 = offered.filter(({ trigger }) => trigger.operation === 'DAY-2');
  const remove = offered.filter(({ trigger }) => trigger.operation === 'DELETE');
  const item = (action: SelfServiceAction): ReactNode => (
    <Menu.Item
      key={action.identifier}
      onClick={() => onChoose(action)}
      {...(action.trigger.operation === 'DELETE' ? { c: 'var(--mantine-color-error)' } : {})}
    >
      {action.title ?? action.identifier}
    </Menu.Item>
  );
  return (
    <>
      {offered.length === 0 && (
        <Menu.Item disabled>{isAsking ? 'Looking …' : 'No action fits its present state'}</Menu.Item>
      )}
      {day2.length > 0 && <Menu.Label c="dimmed">Day-2 operations</Menu.Label>}
      {day2.map(item)}
      {day2.length > 0 && remove.length > 0 && <Menu.Divider />}
      {remove.map(item)}
    </>
  );
}
