import { Button, Group, Stack, Switch, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Chip, EmptyState, ErrorPanel, formatInstant, Loading, Page, Panel, RowButton, Table } from '../../ui/index.ts';
import { useLack } from '../session/index.ts';
import { FreezeDialog } from './freeze-dialog.tsx';
import { phaseOf } from './freezes.ts';
import { type Freeze, guardrailSettingsQuery, useSaveGuardrails } from './queries.ts';

const phases = { now: ['stop', 'Now'], coming: ['wait', 'Coming'], over: ['calm', 'Over'] } as const;

/** What holds for every action of the organization: four eyes, and times in which nothing starts. */
export function GuardrailsPage(): ReactNode {
  const settings = useQuery(guardrailSettingsQuery);
  const save = useSaveGuardrails();
  const lack = useLack('organization:update');
  const mayUpdate = lack === undefined;
  const [isOpen, setOpen] = useState(false);
  const freezes = settings.data?.freezes ?? [];
  const setFreezes = (next: readonly Freeze[]) => save.mutateAsync({ freezes: [...next] });
  return (
    <Page title="Guardrails" lead="They hold for every action of the organization, and for administrators too.">
      {settings.isPending && <Loading label="Loading the guardrails" />}
      {settings.isError && <ErrorPanel error={settings.error} onRetry={() => void settings.refetch()} />}
      {settings.data && (
        <Stack gap="md">
          {lack && <Text size="sm">{lack}</Text>}
          {save.isError && <ErrorPanel error={save.error} />}
          <Panel title="Four eyes">
            <Switch
              label="Nobody approves a run that they asked for"
              description="It takes somebody else, also where the permissions of the action would allow it."
              disabled={!mayUpdate || save.isPending}
              checked={settings.data.fourEyes === true}
              onChange={(event) => save.mutate({ fourEyes: event.currentTarget.checked })}
            />
          </Panel>
          <Panel
            title="Freezes"
            isFlush={freezes.length > 0}
            extra={
              mayUpdate && (
                <Button size="xs" leftSection={<IconPlus size={15} />} onClick={() => setOpen(true)}>
                  New freeze
                </Button>
              )
            }
          >
            {freezes.length === 0 ? (
              <EmptyState title="There are no freezes">
                In a freeze nothing is executed or approved, and whoever tries reads the reason.
              </EmptyState>
            ) : (
              <FreezeTable
                freezes={freezes}
                mayUpdate={mayUpdate && !save.isPending}
                onRemove={(freeze) => save.mutate({ freezes: freezes.filter((each) => each !== freeze) })}
              />
            )}
          </Panel>
        </Stack>
      )}
      {isOpen && (
        <FreezeDialog
          onClose={() => setOpen(false)}
          onSave={async (freeze) => {
            await setFreezes([...freezes, freeze]);
            setOpen(false);
          }}
        />
      )}
    </Page>
  );
}

function FreezeTable({
  freezes,
  mayUpdate,
  onRemove,
}: {
  freezes: readonly Freeze[];
  mayUpdate: boolean;
  onRemove: (freeze: Freeze) => void;
}): ReactNode {
  return (
    <Table label="List of freezes" columns={['State', 'From', 'To', 'Reason', 'Actions', 'Change']}>
      {freezes.map((freeze) => {
        const [tone, word] = phases[phaseOf(freeze, new Date())];
        return (
          <tr key={`${freeze.from} ${freeze.to} ${freeze.reason}`}>
            <td>
              <Chip tone={tone}>{word}</Chip>
            </td>
            <td style={{ whiteSpace: 'nowrap' }}>{formatInstant(freeze.from)}</td>
            <td style={{ whiteSpace: 'nowrap' }}>{formatInstant(freeze.to)}</td>
            <td>{freeze.reason}</td>
            <td>{freeze.actions ? freeze.actions.join(', ') : <Text size="sm">All</Text>}</td>
            <td>
              <Group justify="flex-end">
                <RowButton
                  label={`Remove the freeze “${freeze.reason}”`}
                  isDisabled={!mayUpdate}
                  isDanger
                  onClick={() => onRemove(freeze)}
                >
                  Remove
                </RowButton>
              </Group>
            </td>
          </tr>
        );
      })}
    </Table>
  );
}
