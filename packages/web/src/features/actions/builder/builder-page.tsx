import { Breadcrumbs, Button, Grid, Group, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useBlocker, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { asApiError } from '../../../api/index.ts';
import { EmptyState, ErrorPanel, Loading, Page } from '../../../ui/index.ts';
import { useLack } from '../../session/index.ts';
import { actionQuery } from '../queries.ts';
import { BackendTab } from './backend-tab.tsx';
import { BasicTab } from './basic-tab.tsx';
import { type Draft, draftOf, duplicateOf, emptyDraft, type Tab, tabs } from './document.ts';
import { FormTab } from './form-tab.tsx';
import { type Guardrails, startGuardrails } from './permission-model.ts';
import { PermissionsTab } from './permissions-tab.tsx';
import { guardrailsQuery } from './queries.ts';
import { SidePane } from './side-pane.tsx';
import { useActionBuilder } from './use-action-builder.ts';

export function NewActionPage(): ReactNode {
  const { from } = useSearch({ from: '/shell/self-serve/new' });
  if (from !== undefined) return <Loaded identifier={from} isCopy />;
  return <MayBuild start={{ draft: emptyDraft, guardrails: startGuardrails, before: undefined }} />;
}

export function EditActionPage(): ReactNode {
  const { action } = useParams({ from: '/shell/self-serve/$action/edit' });
  return <Loaded key={action} identifier={action} isCopy={false} />;
}

function Loaded({ identifier, isCopy }: { identifier: string; isCopy: boolean }): ReactNode {
  // Asked once: what somebody else saves meanwhile must not replace what is typed here.
  const action = useQuery({ ...actionQuery(identifier), staleTime: 0, refetchOnWindowFocus: false });
  const guardrails = useQuery({ ...guardrailsQuery(identifier), refetchOnWindowFocus: false });
  const error = action.error ?? guardrails.error;
  if (error)
    return (
      <Page title={asApiError(error).isNotFound ? 'There is no such action' : 'The action could not be loaded'}>
        {asApiError(error).isNotFound ? (
          <EmptyState title={`“${identifier}” does not exist`} action={<Link to="/self-serve">All actions</Link>}>
            It may have been deleted or renamed.
          </EmptyState>
        ) : (
          <ErrorPanel error={error} onRetry={() => void action.refetch()} />
        )}
      </Page>
    );
  if (!action.data || !guardrails.data) return <Loading label="Loading the action" />;
  if (action.data.trigger.type !== 'self-service')
    return (
      <Page title="This is an automation">
        <EmptyState title={`“${identifier}” is started by an event, not by a form`} />
      </Page>
    );
  const start = isCopy
    ? { draft: duplicateOf(action.data), guardrails: guardrails.data, before: undefined }
    : { draft: draftOf(action.data), guardrails: guardrails.data, before: identifier };
  return <MayBuild start={start} />;
}

interface Start {
  draft: Draft;
  guardrails: Guardrails;
  before: string | undefined;
}

function MayBuild({ start }: { start: Start }): ReactNode {
  const lack = useLack(start.before === undefined ? 'action:create' : 'action:update');
  if (lack === undefined) return <Builder {...start} />;
  return (
    <Page title="Actions are written by administrators">
      <EmptyState title="Your role may not change actions" action={<Link to="/self-serve">All actions</Link>}>
        {lack}
      </EmptyState>
    </Page>
  );
}

const tabTitles: Record<Tab, string> = {
  basic: 'Basic details',
  form: 'User form',
  backend: 'Backend',
  permissions: 'Permissions',
};

function Builder(start: Start): ReactNode {
  const navigate = useNavigate();
  const builder = useActionBuilder({
    ...start,
    onSaved: (identifier) => void navigate({ to: '/self-serve', search: { q: identifier }, ignoreBlocker: true }),
  });
  useBlocker({
    shouldBlockFn: () => builder.isChanged && !window.confirm('What you changed is not saved. Leave this page?'),
    enableBeforeUnload: () => builder.isChanged,
  });
  const title = start.before === undefined ? 'New action' : 'Edit action';
  const word = builder.isNew ? 'Create' : 'Save';
  return (
    <Page
      title={title}
      maxWidth={1560}
      above={
        <Breadcrumbs mb={6} separatorMargin={6} fz="sm" component="nav" aria-label="Breadcrumb">
          <Link to="/self-serve">Self-service</Link>
          <span>{builder.draft.title || 'New action'}</span>
        </Breadcrumbs>
      }
      actions={
        <>
          <Button variant="default" renderRoot={(props) => <Link {...props} to="/self-serve" />}>
            Cancel
          </Button>
          <Button loading={builder.isBusy} disabled={builder.unreadable} onClick={() => void builder.submit()}>
            {word}
          </Button>
        </>
      }
    >
      <Grid gap="md" align="flex-start">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="md">
            {builder.refusal && <ErrorPanel error={builder.refusal} title="The action was not saved" />}
            <section className="q-panel" aria-label="Action">
              <Tabs value={builder.tab} onChange={(tab) => tab && builder.setTab(tab as Tab)} keepMounted={false}>
                <Tabs.List px="xs" style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
                  {tabs.map((tab, index) => (
                    <Tabs.Tab key={tab} value={tab}>
                      {index + 1}. {tabTitles[tab]}
                      {builder.countIn(tab) > 0 && (
                        <Text span size="sm" c="var(--mantine-color-error)" fw={600}>
                          {` (${builder.countIn(tab)} to mend)`}
                        </Text>
                      )}
                    </Tabs.Tab>
                  ))}
                </Tabs.List>
                <Tabs.Panel value="basic" p="md">
                  <BasicTab builder={builder} />
                </Tabs.Panel>
                <Tabs.Panel value="form" p="md">
                  <FormTab builder={builder} />
                </Tabs.Panel>
                <Tabs.Panel value="backend" p="md">
                  <BackendTab builder={builder} />
                </Tabs.Panel>
                <Tabs.Panel value="permissions" p="md">
                  <PermissionsTab builder={builder} />
                </Tabs.Panel>
              </Tabs>
              <Group justify="space-between" p="md" pt={0}>
                <Step to={builder.previous} word="Back" onGo={builder.setTab} />
                <Step to={builder.next} word="Next" onGo={builder.setTab} />
              </Group>
            </section>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <SidePane builder={builder} />
        </Grid.Col>
      </Grid>
    </Page>
  );
}

function Step({ to, word, onGo }: { to: Tab | undefined; word: string; onGo: (tab: Tab) => void }): ReactNode {
  if (!to) return <span />;
  return (
    <Button variant={word === 'Next' ? 'light' : 'default'} onClick={() => onGo(to)}>
      {`${word}: ${tabTitles[to]}`}
    </Button>
  );
}
