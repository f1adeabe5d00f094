import { Box, Button, Group, Switch, Text, TextInput } from '@mantine/core';
import { type AuditRecord, auditRoutes, eventNames, origins } from '@quayside/contracts';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useId, useState } from 'react';
import {
  Ago,
  ChangeChip,
  Chip,
  ChoiceFilter,
  ClearFilters,
  changedFields,
  changeWords,
  EmptyState,
  ErrorPanel,
  FieldDiff,
  Loading,
  LoadMore,
  None,
  originWord,
  Page,
  RowDetails,
  RowToggle,
  Table,
  TextFilter,
} from '../../ui/index.ts';
import { auditQuery, newestCheckpointQuery, withoutRepeats } from './queries.ts';

const resources = [...new Set(eventNames.map((name) => name.split('.')[0] ?? name))];
const wordOf = (resource: string): string => resource.charAt(0).toUpperCase() + resource.slice(1);

export function AuditPage(): ReactNode {
  const search = useSearch({ from: '/shell/audit' });
  const navigate = useNavigate({ from: '/audit' });
  const audit = useInfiniteQuery(auditQuery(search));
  const records = withoutRepeats(audit.data?.pages.flat() ?? []);
  const isFiltered = Object.values(search).some(Boolean);
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (all) => ({ ...all, ...part }), replace: true });
  return (
    <Page
      title="Audit log"
      lead={
        <>
          Who changed what, from where, and what it was before. Newest first. <Sealed />
        </>
      }
      actions={
        <Button component="a" variant="default" href={auditRoutes.export.path} download>
          Export
        </Button>
      }
    >
      <div className="q-filters">
        <ChoiceFilter
          label="Resource"
          all="All resources"
          values={resources.map((value) => [value, wordOf(value)] as const)}
          value={search.resource}
          onChange={(resource) => change({ resource })}
        />
        <ChoiceFilter
          label="Change"
          all="All changes"
          values={Object.entries(changeWords)}
          value={search.change}
          onChange={(value) => change({ change: value })}
        />
        <ChoiceFilter
          label="Origin"
          all="All origins"
          values={origins.map((value) => [value, originWord(value)] as const)}
          value={search.origin}
          onChange={(origin) => change({ origin })}
        />
        <TextFilter
          label="Who: e-mail or name"
          placeholder="Anybody"
          value={search.by}
          onChange={(by) => change({ by })}
        />
        <TextInput
          className="q-filter"
          type="date"
          aria-label="From day"
          leftSection={<Text size="xs">From</Text>}
          leftSectionWidth={48}
          value={search.from ?? ''}
          onChange={(event) => change({ from: event.currentTarget.value || undefined })}
        />
        <TextInput
          className="q-filter"
          type="date"
          aria-label="To day"
          leftSection={<Text size="xs">To</Text>}
          leftSectionWidth={48}
          value={search.to ?? ''}
          onChange={(event) => change({ to: event.currentTarget.value || undefined })}
        />
        <Switch
          label="Failures only"
          checked={search.failed ?? false}
          onChange={(event) => change({ failed: event.currentTarget.checked || undefined })}
        />
      </div>
      {audit.isPending && <Loading label="Loading the audit log" />}
      {audit.isError && <ErrorPanel error={audit.error} onRetry={() => void audit.refetch()} />}
      {audit.data && (
        <Box className="q-panel q-clip">
          {records.length > 0 ? (
            <AuditTable records={records} />
          ) : (
            <EmptyState
              title="No record matches the filters"
              action={isFiltered && <ClearFilters onClear={() => void navigate({ search: {}, replace: true })} />}
            >
              Every change is recorded; there was none like this.
            </EmptyState>
          )}
        </Box>
      )}
      <LoadMore list={audit} />
    </Page>
  );
}

/** Said only to who may read the whole log. */
function Sealed(): ReactNode {
  const newest = useQuery(newestCheckpointQuery).data?.checkpoints[0];
  if (!newest) return null;
  return (
    <>
      {newest.total.toLocaleString()} records are sealed, in checkpoint {newest.number}, <Ago at={newest.sealedAt} />.
    </>
  );
}

function AuditTable({ records }: { records: readonly AuditRecord[] }): ReactNode {
  return (
    <Table label="Table of audit records" columns={['When', 'Who', 'Change', 'Resource', 'From', 'Details']}>
      {records.map((record) => (
        <AuditRow key={record.identifier} record={record} />
      ))}
    </Table>
  );
}

function AuditRow({ record }: { record: AuditRecord }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const detailsId = useId();
  const fields = changedFields(record.diff.before, record.diff.after);
  return (
    <>
      <tr>
        <td style={{ whiteSpace: 'nowrap' }}>
          <Ago at={record.trigger.at} />
        </td>
        <td style={{ whiteSpace: 'nowrap' }}>{authorOf(record)}</td>
        <td>
          <Group gap={6} wrap="nowrap">
            <ChangeChip change={record.action} />
            {record.status === 'FAILURE' && <Chip tone="stop">Refused</Chip>}
          </Group>
        </td>
        <td>
          <span className="q-cell">
            <span className="q-dim">{wordOf(record.resourceType)}</span> <Subject record={record} />
          </span>
          {record.message && (
            <Text size="xs" c="dimmed">
              {record.message}
            </Text>
          )}
        </td>
        <td style={{ whiteSpace: 'nowrap' }}>{originWord(record.trigger.origin)}</td>
        <td>
          {fields.length > 0 ? (
            <RowToggle isOpen={isOpen} controls={detailsId} onToggle={() => setOpen(!isOpen)}>
              {fields.length} field{fields.length === 1 ? '' : 's'}
            </RowToggle>
          ) : (
            <None />
          )}
        </td>
      </tr>
      {isOpen && (
        <RowDetails id={detailsId} columns={6} isFlush>
          <FieldDiff fields={fields} />
        </RowDetails>
      )}
    </>
  );
}

function authorOf(record: AuditRecord): string {
  const by = record.trigger.by as {
    user?: { name?: string; email?: string };
    machine?: { name?: string };
    userId?: string;
  };
  return by.user?.name || by.user?.email || (by.machine?.name ? `${by.machine.name} (credential)` : (by.userId ?? ''));
}

/** What still exists is linked; the rest is named. */
function Subject({ record }: { record: AuditRecord }): ReactNode {
  const context = record.context as Record<string, string | undefined>;
  const subject = context[record.resourceType] ?? '';
  if (record.resourceType === 'run') {
    return (
      <Link to="/runs/$runId" params={{ runId: subject }} className="q-mono">
        {subject}
      </Link>
    );
  }
  if (record.resourceType === 'entity' && context.blueprint && record.action !== 'DELETE') {
    return (
      <Link to="/catalog/$blueprint/$entity" params={{ blueprint: context.blueprint, entity: subject }}>
        {subject}
      </Link>
    );
  }
  return subject;
}
