import { isFinal, type Run, type RunGroup, type RunSort } from '@quayside/contracts';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Ago, Duration, formatInstant, HostLink, None, originWord, StatusChip, statusWords } from '../../ui/index.ts';
import { actionsQuery } from '../actions/index.ts';
import { EntityLink } from '../entities/index.ts';
import { Person } from '../people/index.ts';

/** What a table of runs can show. Those that are not shown at first are chosen on the runs page. */
export const runColumns = [
  { key: 'id', title: 'Run', isShown: false, cell: ({ id }: Run) => <RunLink id={id} text={id} /> },
  {
    key: 'action',
    title: 'Action',
    isShown: true,
    cell: ({ id, action }: Run) => <RunLink id={id} text={action.title ?? action.identifier} />,
  },
  {
    key: 'status',
    title: 'Status',
    isShown: true,
    cell: (run: Run) => <StatusChip status={run.status} label={run.statusLabel} />,
  },
  { key: 'entity', title: 'Entity', isShown: true, cell: entityOf },
  { key: 'inputs', title: 'Inputs', isShown: false, cell: (run: Run) => <Inputs run={run} /> },
  { key: 'links', title: 'Links', isShown: false, cell: linksOf },
  {
    key: 'by',
    title: 'Requested by',
    isShown: true,
    cell: (run: Run) => (
      <span className="q-cell">
        <Person id={run.createdBy} />
      </span>
    ),
  },
  { key: 'source', title: 'Source', isShown: true, cell: ({ source }: Run) => originWord(source) },
  { key: 'started', title: 'Started', isShown: true, cell: ({ createdAt }: Run) => oneLine(<Ago at={createdAt} />) },
  {
    key: 'ended',
    title: 'Ended',
    isShown: false,
    cell: ({ endedAt }: Run) => oneLine(endedAt && formatInstant(endedAt)),
  },
  { key: 'duration', title: 'Duration', isShown: true, cell: durationOf },
] as const;

/** By which columns the server sorts. */
export const columnSorts: Partial<Record<RunColumn, RunSort>> = {
  action: 'action',
  status: 'status',
  entity: 'entity',
  started: 'started',
  ended: 'ended',
  duration: 'duration',
};

interface Grouping {
  title: string;
  keyOf: (run: Run) => string;
  /** What the heading of a group says. */
  heading: (run: Run) => ReactNode;
}

export const runGroupings: Readonly<Record<RunGroup, Grouping>> = {
  action: {
    title: 'By action',
    keyOf: ({ action }) => action.identifier,
    heading: ({ action }) => action.title ?? action.identifier,
  },
  entity: {
    title: 'By entity',
    keyOf: ({ blueprint, entity }) => `${blueprint?.identifier ?? ''}/${entity?.identifier ?? ''}`,
    heading: (run) => (run.entity ? entityOf(run) : 'Of no entity'),
  },
  status: {
    title: 'By status',
    keyOf: ({ status }) => status,
    heading: ({ status }) => statusWords[status],
  },
  requester: {
    title: 'By requester',
    keyOf: ({ createdBy }) => createdBy,
    heading: ({ createdBy }) => <Person id={createdBy} />,
  },
  source: { title: 'By source', keyOf: ({ source }) => source, heading: ({ source }) => originWord(source) },
};

export type RunColumn = (typeof runColumns)[number]['key'];

export const columnsShown: readonly RunColumn[] = runColumns.filter(({ isShown }) => isShown).map(({ key }) => key);

function RunLink({ id, text }: { id: string; text: string }): ReactNode {
  return (
    <Link to="/runs/$runId" params={{ runId: id }} className="q-cell">
      {text}
    </Link>
  );
}

function oneLine(content: ReactNode): ReactNode {
  return <span style={{ whiteSpace: 'nowrap' }}>{content || <None />}</span>;
}

function entityOf({ entity, blueprint }: Run): ReactNode {
  if (!entity || !blueprint) return <None />;
  const { identifier, title } = entity;
  return <EntityLink blueprint={blueprint.identifier} identifier={identifier} title={title ?? identifier} />;
}

function Inputs({ run }: { run: Run }): ReactNode {
  const { data: actions = [] } = useQuery(actionsQuery);
  const inputs = actions.find(({ identifier }) => identifier === run.action.identifier)?.trigger.userInputs.properties;
  const all = Object.entries(run.rawProperties).map(([name, value]) => {
    const { title = name, encryption } = inputs?.[name] ?? {};
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${title}: ${encryption === undefined ? text : '••••••'}`;
  });
  if (all.length === 0) return <None />;
  return (
    <span className="q-cell" title={all.join('\n')}>
      {all.join(', ')}
    </span>
  );
}

function linksOf({ link }: Run): ReactNode {
  const links = link === undefined ? [] : [link].flat();
  return links.length === 0 ? <None /> : links.map((each) => <HostLink key={each} url={each} />);
}

function durationOf(run: Run): ReactNode {
  const to = run.endedAt ?? (isFinal(run.status) ? run.updatedAt : undefined);
  return oneLine(<Duration from={run.createdAt} to={to} />);
}
