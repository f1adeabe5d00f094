import { Box, Button, Switch, Text, TextInput } from '@mantine/core';
import { deliveryStates, type LedgerEntry, subjectKinds } from '@quayside/contracts';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useId } from 'react';
import {
  Ago,
  Chip,
  ChoiceFilter,
  ClearFilters,
  EmptyState,
  ErrorPanel,
  formatInstant,
  Loading,
  LoadMore,
  None,
  Page,
  RowDetails,
  RowToggle,
  Table,
  TextFilter,
} from '../../ui/index.ts';
import { actionsQuery } from '../actions/index.ts';
import { useMay } from '../session/index.ts';
import { DeliveryDetails } from './delivery-details.tsx';
import { type LedgerFilters, ledgerQuery } from './queries.ts';
import { ReplayManyButton, ReplaysPanel } from './replays.tsx';
import { fromLocal, kindWords, stateWords, toLocal, verdictOf } from './words.ts';

export function DeliveriesPage(): ReactNode {
  const { open, ...search } = useSearch({ from: '/shell/deliveries' });
  const navigate = useNavigate({ from: '/deliveries' });
  const { data: actions = [] } = useQuery(actionsQuery);
  const filters: LedgerFilters = {
    ...(search.kind ? { kind: search.kind } : {}),
    ...(search.action ? { action: search.action } : {}),
    ...(search.run ? { run_id: search.run } : {}),
    ...(search.holder ? { holder: search.holder } : {}),
    ...(search.state ? { state: search.state } : {}),
    ...(search.dead ? { dead: true } : {}),
    ...(search.replay ? { replay: search.replay } : {}),
    ...(search.from ? { from: search.from } : {}),
    ...(search.to ? { to: search.to } : {}),
  };
  const mayReplay = useMay('delivery:replay');
  const ledger = useInfiniteQuery(ledgerQuery(filters));
  const entries = ledger.data?.pages.flatMap((page) => page.deliveries) ?? [];
  const searchedTo = ledger.data?.pages.at(-1)?.searchedTo;
  const isFiltered = Object.keys(filters).length > 0;
  const change = (part: Partial<typeof search & { open: string | undefined }>): void =>
    void navigate({ search: (all) => ({ ...all, ...part }), replace: true });
  return (
    <Page
      title="Deliveries"
      lead="Every attempt to hand something to its target: by agents and by the portal, with request and answer. Newest first."
      {...(mayReplay ? { actions: <ReplayManyButton filters={filters} /> } : {})}
    >
      {mayReplay && <ReplaysPanel />}
      <div className="q-filters">
        <ChoiceFilter
          label="Kind"
          all="All kinds"
          values={subjectKinds.map((value) => [value, kindWords[value]])}
          value={search.kind}
          onChange={(kind) => change({ kind: subjectKinds.find((each) => each === kind) })}
        />
        <ChoiceFilter
          label="Action"
          all="All actions"
          values={actions.map((action) => [action.identifier, action.title ?? action.identifier])}
          value={search.action}
          onChange={(action) => change({ action })}
        />
        <ChoiceFilter
          label="State"
          all="All states"
          values={deliveryStates.map((value) => [value, stateWords[value]])}
          value={search.state}
          onChange={(state) => change({ state: deliveryStates.find((each) => each === state) })}
        />
        <TextFilter
          label="Sender"
          placeholder="Sender, or name*"
          value={search.holder}
          onChange={(holder) => change({ holder })}
        />
        <TextFilter label="Run" placeholder="Run id" value={search.run} onChange={(run) => change({ run })} />
        <InstantFilter label="From" value={search.from} onChange={(from) => change({ from })} />
        <InstantFilter label="Until" value={search.to} onChange={(to) => change({ to })} />
        {search.replay && (
          <Button variant="default" onClick={() => change({ replay: undefined })}>
            Only of one replay ✕
          </Button>
        )}
        <Switch
          label="Dead letters only"
          checked={search.dead ?? false}
          onChange={(event) => change({ dead: event.currentTarget.checked || undefined })}
        />
      </div>
      {ledger.isPending && <Loading label="Loading deliveries" />}
      {ledger.isError && !ledger.data && <ErrorPanel error={ledger.error} onRetry={() => void ledger.refetch()} />}
      {ledger.data && (
        <Box className="q-panel q-clip">
          {entries.length > 0 ? (
            <LedgerTable entries={entries} open={open} onOpen={(key) => change({ open: key })} />
          ) : searchedTo ? (
            <EmptyState title="None found so far">Further back there may be some.</EmptyState>
          ) : isFiltered ? (
            <EmptyState
              title={search.dead ? 'There are no dead letters like this' : 'No delivery matches the filters'}
              action={<ClearFilters onClear={() => void navigate({ search: {}, replace: true })} />}
            >
              There may be others.
            </EmptyState>
          ) : (
            <EmptyState title="Nothing was sent yet">
              Execute an action; every attempt to hand it to its backend appears here.
            </EmptyState>
          )}
        </Box>
      )}
      {searchedTo && (
        <Text size="sm" c="dimmed" ta="center" mt="md" role="status">
          Searched back to {formatInstant(searchedTo)}.
        </Text>
      )}
      <LoadMore list={ledger} />
    </Page>
  );
}

function InstantFilter({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}): ReactNode {
  return (
    <TextInput
      type="datetime-local"
      aria-label={label}
      className="q-filter"
      value={toLocal(value)}
      onChange={(event) => onChange(fromLocal(event.currentTarget.value))}
    />
  );
}

const keyOf = (entry: LedgerEntry): string => `${entry.subject}/${entry.attempt}`;

function LedgerTable({
  entries,
  open,
  onOpen,
}: {
  entries: readonly LedgerEntry[];
  open: string | undefined;
  onOpen: (key: string | undefined) => void;
}): ReactNode {
  return (
    <Table label="Table of deliveries" columns={['When', 'What', 'Outcome', 'Request', 'Sender', 'Attempt', 'Details']}>
      {entries.map((entry) => (
        <LedgerRow key={keyOf(entry)} entry={entry} isOpen={open === keyOf(entry)} onOpen={onOpen} />
      ))}
    </Table>
  );
}

function LedgerRow({
  entry,
  isOpen,
  onOpen,
}: {
  entry: LedgerEntry;
  isOpen: boolean;
  onOpen: (key: string | undefined) => void;
}): ReactNode {
  const detailsId = useId();
  const verdict = verdictOf(entry);
  return (
    <>
      <tr>
        <td style={{ whiteSpace: 'nowrap' }}>
          <Ago at={entry.startedAt} />
        </td>
        <td>
          <span className="q-cell">
            <span className="q-dim">{kindWords[entry.kind]}</span> <Subject entry={entry} />
          </span>
        </td>
        <td className="q-wrap" style={{ minWidth: 200 }}>
          <Chip tone={verdict.tone}>{verdict.word}</Chip>
          <Text size="xs" c="dimmed">
            {entry.text}
          </Text>
        </td>
        <td style={{ maxWidth: 250 }}>
          {entry.request ? (
            <span className="q-cell q-mono" title={entry.request.url}>
              {entry.request.method} {entry.request.url}
            </span>
          ) : (
            <None />
          )}
        </td>
        <td style={{ whiteSpace: 'nowrap' }}>{entry.holder}</td>
        <td style={{ whiteSpace: 'nowrap' }}>
          {entry.attempt}
          {entry.replayId && <span className="q-dim"> replay</span>}
        </td>
        <td>
          <RowToggle
            label={`Details of attempt ${entry.attempt} of ${entry.subject}`}
            isOpen={isOpen}
            controls={detailsId}
            onToggle={() => onOpen(isOpen ? undefined : keyOf(entry))}
          >
            Details
          </RowToggle>
        </td>
      </tr>
      {isOpen && (
        <RowDetails id={detailsId} columns={7}>
          <div className="q-below">
            <DeliveryDetails subject={entry.subject} attempt={entry.attempt} />
          </div>
        </RowDetails>
      )}
    </>
  );
}

/** The run where there is one; else the thing of the catalog that it is about. */
function Subject({ entry }: { entry: LedgerEntry }): ReactNode {
  if (entry.runId !== undefined)
    return (
      <Link to="/runs/$runId" params={{ runId: entry.runId }}>
        {entry.action ?? entry.runId}
      </Link>
    );
  return [entry.blueprint, entry.entity].filter(Boolean).join(' / ') || entry.subject;
}
