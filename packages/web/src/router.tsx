import { Button, Center } from '@mantine/core';
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { type ReactNode, Suspense } from 'react';
import { asApiError } from './api/index.ts';
import { actionsQuery, EditActionPage, NewActionPage, SelfServicePage } from './features/actions/index.ts';
import { AgentsPage } from './features/agents/index.ts';
import { AuditPage } from './features/audit/index.ts';
import { AutomationPage, AutomationsPage } from './features/automations/index.ts';
import { CatalogIndexPage, CatalogPage, EntityPage } from './features/catalog/index.ts';
import { CredentialsPage } from './features/credentials/index.ts';
import { DeliveriesPage } from './features/deliveries/index.ts';
import { GuardrailsPage } from './features/guardrails/index.ts';
import { OperationsPage } from './features/operations/index.ts';
import { PeoplePage } from './features/people/index.ts';
import { RetentionPage } from './features/retention/index.ts';
import { ApprovalsPage, prefetchRun, RunPage, RunsPage } from './features/runs/index.ts';
import { SecretsPage } from './features/secrets/index.ts';
import { LoginPage, meQuery, PasswordPage } from './features/session/index.ts';
import { StartPage } from './features/start/index.ts';
import {
  parseAuditSearch,
  parseAutomationSearch,
  parseAutomationsSearch,
  parseCatalogSearch,
  parseDeliveriesSearch,
  parseLoginSearch,
  parseNewActionSearch,
  parseRunsSearch,
  parseSelfServeSearch,
} from './search.ts';
import { Shell } from './shell/shell.tsx';
import { EmptyState, ErrorPanel, Loading, Page } from './ui/index.ts';

/** The pages and their addresses. Every filter is in the URL, so that each view can be sent to somebody. */
const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: () => (
    <Suspense fallback={<Loading label="Loading the page" />}>
      <Outlet />
    </Suspense>
  ),
  errorComponent: Failed,
});

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: LoginPage,
  validateSearch: parseLoginSearch,
});

const password = createRoute({ getParentRoute: () => root, path: '/password', component: PasswordPage });

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  // Nothing below is drawn, and nothing is asked, before it is known who asks.
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (asApiError(error).status === 401)
        throw redirect({ to: '/login', search: location.href === '/' ? {} : { from: location.href } });
      throw error;
    }
  },
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  // With nothing to execute, the way to the first action is what one came for.
  beforeLoad: async ({ context }) => {
    const actions = await context.queryClient.ensureQueryData(actionsQuery).catch(() => undefined);
    throw redirect(actions?.length === 0 ? { to: '/get-started' } : { to: '/self-serve', search: {} });
  },
});
const selfServe = createRoute({
  getParentRoute: () => shell,
  path: '/self-serve',
  component: SelfServicePage,
  validateSearch: parseSelfServeSearch,
});
const newAction = createRoute({
  getParentRoute: () => shell,
  path: '/self-serve/new',
  component: NewActionPage,
  validateSearch: parseNewActionSearch,
});
const editAction = createRoute({
  getParentRoute: () => shell,
  path: '/self-serve/$action/edit',
  component: EditActionPage,
});
const runs = createRoute({
  getParentRoute: () => shell,
  path: '/runs',
  component: RunsPage,
  validateSearch: parseRunsSearch,
});
const run = createRoute({
  getParentRoute: () => shell,
  path: '/runs/$runId',
  component: RunPage,
  loader: ({ context, params }) => prefetchRun(context.queryClient, params.runId),
});
const approvals = createRoute({ getParentRoute: () => shell, path: '/approvals', component: ApprovalsPage });
const catalogIndex = createRoute({ getParentRoute: () => shell, path: '/catalog', component: CatalogIndexPage });
const catalog = createRoute({
  getParentRoute: () => shell,
  path: '/catalog/$blueprint',
  component: CatalogPage,
  validateSearch: parseCatalogSearch,
});
const entity = createRoute({ getParentRoute: () => shell, path: '/catalog/$blueprint/$entity', component: EntityPage });
const agents = createRoute({ getParentRoute: () => shell, path: '/agents', component: AgentsPage });
const credentials = createRoute({
  getParentRoute: () => shell,
  path: '/settings/credentials',
  component: CredentialsPage,
});
const people = createRoute({ getParentRoute: () => shell, path: '/settings/people', component: PeoplePage });
const secrets = createRoute({ getParentRoute: () => shell, path: '/settings/secrets', component: SecretsPage });
const guardrails = createRoute({
  getParentRoute: () => shell,
  path: '/settings/guardrails',
  component: GuardrailsPage,
});
const operations = createRoute({ getParentRoute: () => shell, path: '/operations', component: OperationsPage });
const automations = createRoute({
  getParentRoute: () => shell,
  path: '/settings/automations',
  component: AutomationsPage,
  validateSearch: parseAutomationsSearch,
});
const automation = createRoute({
  getParentRoute: () => shell,
  path: '/settings/automations/$automation',
  component: AutomationPage,
  validateSearch: parseAutomationSearch,
});
const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  component: AuditPage,
  validateSearch: parseAuditSearch,
});
const retention = createRoute({ getParentRoute: () => shell, path: '/settings/retention', component: RetentionPage });
const deliveries = createRoute({
  getParentRoute: () => shell,
  path: '/deliveries',
  component: DeliveriesPage,
  validateSearch: parseDeliveriesSearch,
});
const start = createRoute({ getParentRoute: () => shell, path: '/get-started', component: StartPage });

const nowhere = createRoute({ getParentRoute: () => shell, path: '$', component: NotFound });

const tree = root.addChildren([
  login,
  password,
  shell.addChildren([
    home,
    selfServe,
    newAction,
    editAction,
    runs,
    run,
    approvals,
    catalogIndex,
    catalog,
    entity,
    agents,
    deliveries,
    credentials,
    people,
    secrets,
    guardrails,
    operations,
    retention,
    automations,
    automation,
    audit,
    start,
    nowhere,
  ]),
]);

export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}

function NotFound(): ReactNode {
  return (
    <Page title="There is no such page">
      <EmptyState title="Nothing is at this address" action={<Link to="/self-serve">To the start</Link>}>
        The link may be old, or mistyped.
      </EmptyState>
    </Page>
  );
}

function Failed({ error, reset }: ErrorComponentProps): ReactNode {
  return (
    <Center component="main" p="lg" mih="60dvh">
      <div>
        <ErrorPanel error={error} title="The page could not be shown" />
        <Button mt="md" variant="default" onClick={reset}>
          Try again
        </Button>
      </div>
    </Center>
  );
}
