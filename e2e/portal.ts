import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  actionRoutes,
  type BodyOf,
  dispatchRoutes,
  type ParamsOf,
  peopleRoutes,
  type QueryOf,
  type ReplyOf,
  type Route,
} from '@quayside/contracts';
import { type ServerProcess, startServerProcess, testOrganization } from '@quayside/testkit';

/** The built product in a process of its own, with the demo company or with nothing in it. */
export interface Portal {
  readonly url: string;
  /** The API as the organization's first credential; a refusal is thrown. */
  call<R extends Route>(
    route: R,
    input?: { params?: ParamsOf<R>; query?: QueryOf<R>; body?: BodyOf<R> },
  ): Promise<ReplyOf<R>>;
  stop(): Promise<void>;
}

export async function startPortal(options: {
  isDemo: boolean;
  databaseUrl?: string;
  environment?: Record<string, string>;
}): Promise<Portal> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quayside-e2e-'));
  const server = await startServerProcess({
    dataDir,
    environment: { QUAYSIDE_DEMO: String(options.isDemo), ...options.environment },
    ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
  });
  const token = await tokenOf(server);
  const portal: Portal = {
    url: server.url,
    async call(route, input = {}) {
      const params = (input.params ?? {}) as Record<string, string>;
      const path = route.path.replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(params[name] ?? ''));
      const query = new URLSearchParams((input.query ?? {}) as Record<string, string>);
      const response = await fetch(`${server.url}${path}?${query}`, {
        method: route.method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${route.method} ${path} answered ${response.status}: ${text}`);
      return JSON.parse(text);
    },
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  if (options.isDemo) await demoIsThere(portal);
  return portal;
}

/** Somebody who can sign in. */
export interface Person {
  email: string;
  password: string;
}

export async function addPerson(
  portal: Portal,
  person: { email: string; roles?: ('Member' | 'Moderator' | 'Admin')[]; teams?: string[] },
): Promise<Person> {
  const { passwordLink } = await portal.call(peopleRoutes.invite, { body: { invitee: person } });
  const password = `the password of ${person.email}`;
  const token = new URL(passwordLink.link).hash.slice(1);
  await portal.call(peopleRoutes.setPassword, { body: { token, password } });
  return { email: person.email, password };
}

/** The server answers before its demo is complete: the last action, and the agent that carries them out. */
async function demoIsThere(portal: Portal): Promise<void> {
  for (;;) {
    const { actions } = await portal.call(actionRoutes.list, { query: { version: 'v2' } });
    const { agents } = await portal.call(dispatchRoutes.listAgents);
    if (actions.length === demoActions && agents.some((agent) => agent.isConnected)) return;
    await sleep(100);
  }
}
const demoActions = 4;

async function tokenOf(server: ServerProcess): Promise<string> {
  const { clientId, clientSecret } = testOrganization;
  const response = await fetch(`${server.url}/v1/auth/access_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientId, clientSecret }),
  });
  return ((await response.json()) as { accessToken: string }).accessToken;
}
