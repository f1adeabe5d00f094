import { Box, Button, Switch } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { Ago, Dialog, EmptyState, ErrorPanel, Loading, Page, SearchBox, Table } from '../../ui/index.ts';
import { programMarks, templateMarks } from '../../ui/template-marks.ts';
import { type Automation, eventInWords, matches, newAutomation, newEvent } from './document.ts';
import { JsonPart } from './json-part.tsx';
import { automationsQuery, useAutomationChanges } from './queries.ts';
import { useCompletion } from './use-completion.ts';

export function AutomationsPage(): ReactNode {
  const automations = useQuery(automationsQuery);
  const { q = '' } = useSearch({ from: '/shell/settings/automations' });
  const navigate = useNavigate({ from: '/settings/automations' });
  const { toggle } = useAutomationChanges();
  const [isNew, setNew] = useState(false);
  const found = automations.data?.filter((automation) => matches(automation, q)) ?? [];
  return (
    <Page
      title="Automations"
      lead="Started by events instead of people: a change of an entity, a timer that expires, a run."
      actions={
        <Button leftSection={<IconPlus size={16} />} onClick={() => setNew(true)}>
          New automation
        </Button>
      }
    >
      <div className="q-filters">
        <SearchBox
          label="Search automations"
          value={q}
          onChange={(text) => void navigate({ search: { q: text || undefined }, replace: true })}
        />
      </div>
      {toggle.isError && <ErrorPanel error={toggle.error} />}
      {automations.isPending && <Loading label="Loading automations" />}
      {automations.isError && <ErrorPanel error={automations.error} onRetry={() => void automations.refetch()} />}
      {automations.data && (
        <Box className="q-panel q-clip">
          {found.length > 0 ? (
            <AutomationsTable
              automations={found}
              onToggle={(automation, publish) => toggle.mutate({ automation, publish })}
            />
          ) : (
            <EmptyState title={q ? 'No automation matches the search' : 'There are no automations'}>
              An automation listens to one kind of event, looks at its conditions, and does what an action does.
            </EmptyState>
          )}
        </Box>
      )}
      {isNew && <NewAutomation onClose={() => setNew(false)} />}
    </Page>
  );
}

function AutomationsTable({
  automations,
  onToggle,
}: {
  automations: readonly Automation[];
  onToggle: (automation: Automation, publish: boolean) => void;
}): ReactNode {
  return (
    <Table label="Table of automations" columns={['Automation', 'Active', 'When', 'Backend', 'Changed']}>
      {automations.map((automation) => (
        <tr key={automation.identifier}>
          <td>
            <Link
              to="/settings/automations/$automation"
              params={{ automation: automation.identifier }}
              search={{}}
              className="q-cell"
            >
              {automation.title ?? automation.identifier}
            </Link>
          </td>
          <td>
            <Switch
              aria-label={`${automation.title ?? automation.identifier} is active`}
              checked={automation.publish !== false}
              onChange={(event) => onToggle(automation, event.currentTarget.checked)}
            />
          </td>
          <td style={{ minWidth: 170 }}>{eventInWords(automation.trigger.event)}</td>
          <td>{automation.invocationMethod.type}</td>
          <td style={{ whiteSpace: 'nowrap' }}>
            <Ago at={automation.updatedAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function NewAutomation({ onClose }: { onClose: () => void }): ReactNode {
  const { create } = useAutomationChanges();
  const complete = useCompletion(newEvent);
  const navigate = useNavigate();
  return (
    <Dialog title="New automation" size="xl" onClose={onClose}>
      <JsonPart
        label="Document"
        description="It is created switched off; look at it first, then switch it on."
        value={newAutomation}
        submitLabel="Create"
        complete={complete}
        marksOf={(text) => [...programMarks(text), ...templateMarks(text)]}
        isNew
        error={create.error}
        isSaving={create.isPending}
        onSave={(body) =>
          create.mutate(body as typeof newAutomation, {
            onSuccess: ({ identifier }) =>
              void navigate({
                to: '/settings/automations/$automation',
                params: { automation: identifier },
                search: {},
              }),
          })
        }
      />
    </Dialog>
  );
}
