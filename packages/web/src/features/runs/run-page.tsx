import { Alert, Box, Breadcrumbs, Button, Grid, Group, Stack, Tabs, Text } from '@mantine/core';
import { type AffectedEntity, isFinal, type Run, type WhyRun } from '@quayside/contracts';
import { IconBolt, IconHourglass, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { asApiError } from '../../api/index.ts';
import {
  CopyButton,
  changeWords,
  Duration,
  EmptyState,
  ErrorPanel,
  Facts,
  formatInstant,
  HostLink,
  IconTile,
  JsonBlock,
  Loading,
  originWord,
  Page,
  Panel,
  StatusChip,
} from '../../ui/index.ts';
import { ActionForm, actionQuery, type SelfServiceAction } from '../actions/index.ts';
import { EntityLink } from '../entities/index.ts';
import { Person, useNameOf } from '../people/index.ts';
import { useMay } from '../session/index.ts';
import { ApprovalPanel } from './approval-panel.tsx';
import { LogViewer } from './log-viewer.tsx';
import { affectedQuery, deliveriesQuery, runQuery, whyQuery } from './queries.ts';
import { RunInputs } from './run-inputs.tsx';
import { RunMenu } from './run-menu.tsx';
import { AffectedTable, DeliveriesTable } from './run-tables.tsx';
import { timelineOf } from './timeline.ts';
import { TimelineList } from './timeline-list.tsx';
import { useRunStream } from './use-run-stream.ts';

const Markdown = lazy(() => import('../../ui/markdown.tsx'));

export function RunPage(): ReactNode {
  const { runId } = useParams({ from: '/shell/runs/$runId' });
  const run = useQuery(runQuery(runId));
  if (run.isPending) return <Loading label="Loading the run" />;
  if (run.isError) {
    const isNotFound = asApiError(run.error).isNotFound;
    return (
      <Page title={isNotFound ? 'There is no such run' : 'The run could not be loaded'}>
        {isNotFound ? (
          <EmptyState title={`Nothing is known about ${runId}`} action={<Link to="/runs">All runs</Link>}>
            The id may be mistyped, or the run is not yours to see: some are shown only to those who asked for them,
            their approvers and administrators.
          </EmptyState>
        ) : (
          <ErrorPanel error={run.error} onRetry={() => void run.refetch()} />
        )}
      </Page>
    );
  }
  return <RunView key={runId} run={run.data} />;
}

function RunView({ run }: { run: Run }): ReactNode {
  const { log, mode } = useRunStream(run.id);
  const { data: deliveries = [] } = useQuery(deliveriesQuery(run.id));
  const { data: affected = [] } = useQuery(affectedQuery(run.id));
  const nameOf = useNameOf();
  const isLive = !isFinal(run.status);
  const { data: why } = useQuery({ ...whyQuery(run.id), enabled: isLive });
  const waiting = isLive && why && isWorthSaying(why, run) ? why : undefined;
  const title = run.action.title ?? run.action.identifier;
  return (
    <Page
      title={title}
      above={<Trail run={run} />}
      heading={
        <Group gap="sm" component="span" wrap="wrap">
          <IconTile name={run.action.icon} fallback={IconBolt} size={32} />
          <span>{title}</span>
          <StatusChip status={run.status} label={run.statusLabel} />
        </Group>
      }
      actions={
        <>
          <Rerun run={run} />
          <RunMenu run={run} />
        </>
      }
    >
      <Box>
        <Box aria-live="polite">
          {waiting && (
            <Alert
              variant="light"
              mb="md"
              color="harbour"
              icon={<IconHourglass size={18} />}
              p="xs"
              styles={{ message: { color: 'var(--mantine-color-text)' } }}
            >
              <strong>Why is it waiting?</strong> {waiting.text}{' '}
              {waiting.needsAgent && <Link to="/get-started">Connect an agent</Link>}
            </Alert>
          )}
        </Box>
        <Grid gap="md">
          <Grid.Col span={{ base: 12, md: 8 }}>
            <Stack gap="md">
              {run.status === 'WAITING_FOR_APPROVAL' && <ApprovalPanel run={run} />}
              <Result run={run} affected={affected} />
              <section className="q-panel q-clip" aria-label="Details of the run">
                <Tabs defaultValue="log" keepMounted={false}>
                  <Tabs.List px="xs" style={{ flexWrap: 'nowrap', overflowX: 'auto' }}>
                    <Tabs.Tab value="log">Log</Tabs.Tab>
                    <Tabs.Tab value="entities">Affected entities ({affected.length})</Tabs.Tab>
                    <Tabs.Tab value="deliveries">Deliveries ({deliveries.length})</Tabs.Tab>
                    <Tabs.Tab value="data">Data</Tabs.Tab>
                  </Tabs.List>
                  <Tabs.Panel value="log">
                    <LogViewer runId={run.id} log={log} isLive={mode !== 'done'} />
                  </Tabs.Panel>
                  <Tabs.Panel value="entities">
                    <AffectedTable runId={run.id} entities={affected} />
                  </Tabs.Panel>
                  <Tabs.Panel value="deliveries">
                    <DeliveriesTable deliveries={deliveries} />
                    {deliveries.length > 0 && (
                      <Box p="sm">
                        <Link to="/deliveries" search={{ run: run.id }}>
                          Requests and answers in the ledger
                        </Link>
                      </Box>
                    )}
                  </Tabs.Panel>
                  <Tabs.Panel value="data" p="md">
                    <Stack gap="md">
                      {run.response !== undefined && run.response !== null && (
                        <JsonBlock label="Response" value={run.response} />
                      )}
                      <JsonBlock label="Inputs as sent" value={run.rawProperties} />
                      {run.payload && <JsonBlock label="Payload" value={run.payload} />}
                    </Stack>
                  </Tabs.Panel>
                </Tabs>
              </section>
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4 }}>
            <Stack gap="md">
              <Panel title="Progress" extra={<LiveNote mode={mode} />}>
                <TimelineList moments={timelineOf(run, deliveries, nameOf)} />
              </Panel>
              <Panel title="Details">
                <RunFacts run={run} />
              </Panel>
              <Panel title="Inputs">
                <RunInputs run={run} />
              </Panel>
            </Stack>
          </Grid.Col>
        </Grid>
      </Box>
    </Page>
  );
}

function Trail({ run }: { run: Run }): ReactNode {
  return (
    <Breadcrumbs mb={6} separatorMargin={6} fz="sm" component="nav" aria-label="Breadcrumb">
      <Link to="/runs">Runs</Link>
      {run.blueprint && (
        <Link to="/catalog/$blueprint" params={{ blueprint: run.blueprint.identifier }}>
          {run.blueprint.title ?? run.blueprint.identifier}
        </Link>
      )}
      {run.entity && run.blueprint && (
        <EntityLink blueprint={run.blueprint.identifier} identifier={run.entity.identifier} title={run.entity.title} />
      )}
      <Group gap={2} component="span" wrap="nowrap">
        <Text span size="sm" className="q-mono">
          {run.id}
        </Text>
        <CopyButton value={run.id} label="Copy run id" />
      </Group>
    </Breadcrumbs>
  );
}

/** What is being carried out, or just was handed over, needs no explanation. */
function isWorthSaying({ state }: WhyRun, run: Run): boolean {
  if (state === 'waiting_for_report') return Date.now() - Date.parse(run.updatedAt) > 60_000;
  return state !== 'carried_out' && state !== 'waiting_for_portal' && state !== 'ended';
}

function LiveNote({ mode }: { mode: ReturnType<typeof useRunStream>['mode'] }): ReactNode {
  const words = { live: 'Live', reconnecting: 'Connecting …', polling: 'Refreshing every 2 s', done: '' }[mode];
  return (
    <Text size="xs" c="dimmed" role="status">
      {words}
    </Text>
  );
}

/** What one came for: the summary, the links, and what is in the catalog because of this run. */
function Result({ run, affected }: { run: Run; affected: readonly AffectedEntity[] }): ReactNode {
  const links = run.link === undefined ? [] : [run.link].flat();
  // One line an entity: what happened to it last, or that it was created.
  const entities = new Map<string, AffectedEntity>();
  for (const change of affected) {
    if (change.error !== undefined) continue;
    const key = `${change.blueprint}/${change.entity}`;
    if (entities.get(key)?.operation !== 'CREATE' || change.operation === 'DELETE') entities.set(key, change);
  }
  if (!run.summary && links.length === 0 && entities.size === 0) return null;
  return (
    <Panel title={run.status === 'FAILURE' && run.summary ? 'Why it failed' : 'Result'}>
      <Stack gap="sm">
        {run.summary && (
          <Suspense fallback={<Text size="sm">{run.summary}</Text>}>
            <Markdown text={run.summary} />
          </Suspense>
        )}
        <Facts
          rows={[
            [
              links.length > 1 ? 'Links' : 'Link',
              links.length > 0 ? (
                <Stack key="links" gap={2}>
                  {links.map((link) => (
                    <HostLink key={link} url={link} />
                  ))}
                </Stack>
              ) : undefined,
            ],
            ...[...entities].slice(0, shownEntities).map(
              ([key, change]) =>
                [
                  changeWords[change.operation],
                  <span key={key}>
                    {change.operation === 'DELETE' ? (
                      change.entity
                    ) : (
                      <EntityLink blueprint={change.blueprint} identifier={change.entity} />
                    )}{' '}
                    <span className="q-dim">{change.blueprint}</span>
                  </span>,
                ] as const,
            ),
          ]}
        />
      </Stack>
    </Panel>
  );
}

/** More than these are in the tab of their own. */
const shownEntities = 5;

function RunFacts({ run }: { run: Run }): ReactNode {
  return (
    <Facts
      rows={[
        [
          'Entity',
          run.entity && run.blueprint ? (
            <EntityLink
              key="entity"
              blueprint={run.blueprint.identifier}
              identifier={run.entity.identifier}
              title={run.entity.title}
            />
          ) : undefined,
        ],
        ['Requested by', <Person key="by" id={run.createdBy} />],
        ['Source', originWord(run.source)],
        ['Started', formatInstant(run.createdAt)],
        ['Ended', run.endedAt ? formatInstant(run.endedAt) : undefined],
        [
          'Duration',
          <Duration
            key="duration"
            from={run.createdAt}
            to={run.endedAt ?? (isFinal(run.status) ? run.updatedAt : undefined)}
          />,
        ],
        ['External id', run.externalRunId],
      ]}
    />
  );
}

function Rerun({ run }: { run: Run }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const navigate = useNavigate();
  const mayExecute = useMay('action:execute');
  const { data: action } = useQuery({ ...actionQuery(run.action.identifier), retry: false });
  if (!mayExecute || action?.trigger.type !== 'self-service') return null;
  return (
    <>
      <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={() => setOpen(true)}>
        Re-run
      </Button>
      {isOpen && (
        <ActionForm
          action={action as SelfServiceAction}
          prefill={run.rawProperties}
          entity={run.entity && !run.entity.deleted ? run.entity.identifier : undefined}
          onClose={() => setOpen(false)}
          onStarted={(started) => {
            setOpen(false);
            void navigate({ to: '/runs/$runId', params: { runId: started.id } });
          }}
        />
      )}
    </>
  );
}
