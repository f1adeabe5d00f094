import { Breadcrumbs, Button, Code, Group, Select, Stack, Switch, Tabs, Text } from '@mantine/core';
import { type ActionBody, type Evaluation, type EvaluationOutcome, evaluationOutcomes } from '@quayside/contracts';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { Ago, Chip, Dialog, EmptyState, ErrorPanel, Facts, Loading, originWord, Page, Panel } from '../../ui/index.ts';
import { programMarks, templateMarks } from '../../ui/template-marks.ts';
import { TemplateTester } from '../../ui/template-tester.tsx';
import { TestJq } from '../../ui/test-jq.tsx';
import { EntityLink } from '../entities/index.ts';
import { Person } from '../people/index.ts';
import { RunsTable, runsQuery } from '../runs/index.ts';
import { ConditionResults } from './condition-results.tsx';
import { ConditionTest } from './condition-test.tsx';
import { type Automation, bodyOf, eventInWords, isAutomation, outcomeTones, outcomeWords } from './document.ts';
import { JsonPart } from './json-part.tsx';
import { usePastEvents } from './past-events.ts';
import { automationQuery, evaluationsQuery, useAutomationChanges } from './queries.ts';
import { useCompletion, useSamples } from './use-completion.ts';

const tabs = ['details', 'trigger', 'backend', 'runs', 'evaluations'] as const;

export function AutomationPage(): ReactNode {
  const { automation: identifier } = useParams({ from: '/shell/settings/automations/$automation' });
  const { tab = 'details' } = useSearch({ from: '/shell/settings/automations/$automation' });
  const navigate = useNavigate({ from: '/settings/automations/$automation' });
  const query = useQuery(automationQuery(identifier));
  const automation = query.data;
  const title = automation?.title ?? identifier;
  return (
    <Page
      title={title}
      above={
        <Breadcrumbs mb={6} fz="sm">
          <Link to="/settings/automations">Automations</Link>
          <Text fz="sm">{title}</Text>
        </Breadcrumbs>
      }
      lead={automation && isAutomation(automation) && `When ${eventInWords(automation.trigger.event)}.`}
    >
      {query.isPending && <Loading label="Loading the automation" />}
      {query.isError && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {automation && !isAutomation(automation) && (
        <EmptyState title="This is no automation">People start it, from the self-service page.</EmptyState>
      )}
      {automation && isAutomation(automation) && (
        <section className="q-panel" aria-label="The automation">
          <Tabs
            value={tab}
            keepMounted={false}
            onChange={(next) =>
              void navigate({ search: { tab: tabs.find((one) => one === next) }, params: true, replace: true })
            }
          >
            <Tabs.List px="xs" style={{ flexWrap: 'nowrap', overflowX: 'auto' }}>
              <Tabs.Tab value="details">Details</Tabs.Tab>
              <Tabs.Tab value="trigger">Trigger</Tabs.Tab>
              <Tabs.Tab value="backend">Backend</Tabs.Tab>
              <Tabs.Tab value="runs">Runs</Tabs.Tab>
              <Tabs.Tab value="evaluations">Evaluations</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="details" p="md">
              <Details automation={automation} />
            </Tabs.Panel>
            <Tabs.Panel value="trigger" p="md">
              <Part
                automation={automation}
                part="trigger"
                label="Trigger"
                description="The event, and jq conditions over it: each sees the event as its input, and counts when it yields exactly true."
              />
            </Tabs.Panel>
            <Tabs.Panel value="backend" p="md">
              <Part
                automation={automation}
                part="invocationMethod"
                label="Backend"
                description="What is carried out. Templates see the event as .event, and the run as .run."
              />
            </Tabs.Panel>
            <Tabs.Panel value="runs">
              <Runs identifier={automation.identifier} />
            </Tabs.Panel>
            <Tabs.Panel value="evaluations" p="md">
              <Evaluations identifier={automation.identifier} />
            </Tabs.Panel>
          </Tabs>
        </section>
      )}
    </Page>
  );
}

function Details({ automation }: { automation: Automation }): ReactNode {
  const { toggle } = useAutomationChanges();
  const [isRemoving, setRemoving] = useState(false);
  const { condition } = automation.trigger;
  const expressions = condition?.expressions ?? [];
  return (
    <Stack gap="md">
      <Switch
        label="Active"
        description="Switched off, it does not look at events; what happens meanwhile is not made up for."
        checked={automation.publish !== false}
        onChange={(event) => toggle.mutate({ automation, publish: event.currentTarget.checked })}
      />
      {toggle.isError && <ErrorPanel error={toggle.error} />}
      <Facts
        rows={[
          ['Identifier', <Code key="identifier">{automation.identifier}</Code>],
          ['Description', automation.description || undefined],
          ['Backend', automation.invocationMethod.type],
          [
            'Conditions',
            expressions.length === 0
              ? 'None: every such event starts it'
              : `${expressions.length}, ${condition?.combinator === 'or' ? 'any' : 'all'} must be true`,
          ],
          [
            'Created',
            <span key="created">
              <Ago at={automation.createdAt} /> by <Person id={automation.createdBy} />
            </span>,
          ],
          [
            'Changed',
            <span key="changed">
              <Ago at={automation.updatedAt} /> by <Person id={automation.updatedBy} />
            </span>,
          ],
        ]}
      />
      <Group>
        <Button variant="default" c="var(--mantine-color-error)" onClick={() => setRemoving(true)}>
          Delete
        </Button>
      </Group>
      {isRemoving && <RemoveDialog automation={automation} onClose={() => setRemoving(false)} />}
    </Stack>
  );
}

function RemoveDialog({ automation, onClose }: { automation: Automation; onClose: () => void }): ReactNode {
  const { remove } = useAutomationChanges();
  const navigate = useNavigate();
  return (
    <Dialog title="Delete the automation" onClose={onClose}>
      <Stack>
        {remove.isError && <ErrorPanel error={remove.error} />}
        <Text size="sm">Its evaluations go with it; its runs stay.</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            color="red.9"
            loading={remove.isPending}
            onClick={() =>
              remove.mutate(automation.identifier, {
                onSuccess: () => void navigate({ to: '/settings/automations', search: {} }),
              })
            }
          >
            Delete
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function Part({
  automation,
  part,
  label,
  description,
}: {
  automation: Automation;
  part: 'trigger' | 'invocationMethod';
  label: string;
  description: string;
}): ReactNode {
  const { replace } = useAutomationChanges();
  const complete = useCompletion(automation.trigger.event);
  return (
    <JsonPart
      label={label}
      description={description}
      value={automation[part]}
      complete={complete}
      marksOf={part === 'trigger' ? programMarks : templateMarks}
      error={replace.error}
      isSaving={replace.isPending}
      onSave={(value) =>
        replace.mutate({
          identifier: automation.identifier,
          body: { ...bodyOf(automation), [part]: value } as ActionBody,
        })
      }
    >
      {(value) =>
        part === 'trigger' ? (
          <ConditionTest automation={automation} trigger={value} />
        ) : (
          <BackendTest automation={automation} template={value} />
        )
      }
    </JsonPart>
  );
}

function BackendTest({ automation, template }: { automation: Automation; template: unknown }): ReactNode {
  const { context } = useSamples(automation.trigger.event);
  const past = usePastEvents(automation.identifier, (event) => ({
    ...context,
    event,
    trigger: { ...(event as { trigger: object }).trigger, origin: 'AUTOMATION' },
  }));
  return (
    <TestJq>
      <TemplateTester
        made={context}
        madeLabel="Made up from the blueprint"
        past={past}
        template={template ?? automation.invocationMethod}
        ownWord="automation"
      />
    </TestJq>
  );
}

function Runs({ identifier }: { identifier: string }): ReactNode {
  const runs = useInfiniteQuery(runsQuery({ action: identifier }));
  const found = runs.data?.pages.flat() ?? [];
  if (runs.isPending) return <Loading label="Loading runs" />;
  if (runs.isError) return <ErrorPanel error={runs.error} onRetry={() => void runs.refetch()} />;
  if (found.length === 0) return <EmptyState title="It has not started anything yet" />;
  return (
    <>
      <RunsTable runs={found} />
      {runs.hasNextPage && (
        <Group justify="center" p="md">
          <Button variant="default" loading={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
            Load more
          </Button>
        </Group>
      )}
    </>
  );
}

function Evaluations({ identifier }: { identifier: string }): ReactNode {
  const [outcome, setOutcome] = useState<EvaluationOutcome | undefined>();
  const query = useQuery(evaluationsQuery(identifier, outcome));
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {query.data
            ? `${query.data.counts.fired} fired, ${query.data.counts.notFired} did not, ${query.data.counts.failed} failed, ${query.data.counts.blocked} blocked. `
            : ''}
          The newest are kept; of those that did not fire, some.
        </Text>
        <Select
          className="q-filter"
          aria-label="Outcome"
          placeholder="All outcomes"
          clearable
          clearButtonProps={{ 'aria-label': 'Clear outcome' }}
          data={evaluationOutcomes.map((value) => ({ value, label: outcomeWords[value] }))}
          value={outcome ?? null}
          onChange={(value) => setOutcome(evaluationOutcomes.find((one) => one === value))}
        />
      </Group>
      {query.isPending && <Loading label="Loading evaluations" />}
      {query.isError && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.data?.evaluations.length === 0 && (
        <EmptyState title="Nothing to show">
          No event that it listens to has come yet, or none with this outcome.
        </EmptyState>
      )}
      {query.data?.evaluations.map((evaluation) => (
        <EvaluationPanel key={evaluation.id} evaluation={evaluation} />
      ))}
    </Stack>
  );
}

/** One event: what came of it, and what each condition yielded. */
function EvaluationPanel({ evaluation }: { evaluation: Evaluation }): ReactNode {
  const { outcome, because, conditions, runId } = evaluation;
  const event = evaluation.event as {
    name: string;
    origin: string;
    blueprint?: string;
    entity?: string;
    runId?: string;
  };
  return (
    <Panel
      title={`${event.name} ${event.entity ?? event.runId ?? ''}`}
      extra={<Chip tone={outcomeTones[outcome]}>{outcomeWords[outcome]}</Chip>}
    >
      <Stack gap="xs">
        <Text size="sm">
          <Ago at={evaluation.at} /> · {originWord(event.origin)} · because {because}
        </Text>
        <Group gap="md">
          {event.blueprint && event.entity && (
            <EntityLink blueprint={event.blueprint} identifier={event.entity} title={event.entity} />
          )}
          {runId && (
            <Link to="/runs/$runId" params={{ runId }}>
              The run it started
            </Link>
          )}
        </Group>
        {conditions.length > 0 && <ConditionResults results={conditions} />}
      </Stack>
    </Panel>
  );
}
