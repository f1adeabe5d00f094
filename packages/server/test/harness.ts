import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ActionBody,
  actionRoutes,
  type BodyOf,
  type ErrorBody,
  type ParamsOf,
  peopleRoutes,
  type QueryOf,
  type ReplyOf,
  type Route,
  type Run,
  runRoutes,
} from '@quayside/contracts';
import { createDatabase, silentLog, testOrganization } from '@quayside/testkit';
import { inject } from 'vitest';
import { type App, startApp } from '../src/app.ts';
import { type Config, readConfig } from '../src/config.ts';
import { createOrganization } from '../src/features/identity/service-organization.ts';
import { hashPassword } from '../src/platform/password.ts';

/** The whole app on a database of its own, spoken to over HTTP as any client would. Replies are checked against their rows. */
export interface TestApp {
  app: App;
  url: string;
  databaseUrl: string;
  /** With the organization's credential. */
  machine: Caller;
  /** With the administrator's session. */
  admin: Caller;
  /** Without any. */
  nobody: Caller;
  callerOf(clientId: string, clientSecret: string): Promise<Caller>;
  login(email: string, password: string): Promise<Caller>;
  /** Somebody new, invited and signed in. */
  join(email: string, teams?: string[]): Promise<Caller>;
  /** An action of its own, without inputs, that does this; executed once by the organization's credential. */
  executeNew(invocationMethod: object, change?: Partial<ActionBody>): Promise<Run>;
  /** A second organization, to be kept out of the first. */
  otherOrganization(): Promise<Caller>;
  stop(): Promise<void>;
}

export type Answer<T> = { status: number; headers: Headers; body: T };

export interface Caller {
  /** Calls a route of the table; `params` fill the path. */
  call<R extends Route>(
    route: R,
    input?: { params?: ParamsOf<R>; query?: QueryOf<R>; body?: BodyOf<R> },
  ): Promise<Answer<ReplyOf<R>>>;
  /** For what must be refused: any body, any headers. */
  refused(
    route: Route,
    input?: { params?: Record<string, string>; query?: Record<string, string>; body?: unknown },
  ): Promise<Answer<ErrorBody>>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

export async function startTestApp(environment: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  const database = await createDatabase(inject('postgresAdminUrl'));
  const dataDir = mkdtempSync(join(tmpdir(), 'quayside-app-'));
  const config: Config = readConfig({
    QUAYSIDE_PORT: '0',
    QUAYSIDE_HOST: '127.0.0.1',
    QUAYSIDE_DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    QUAYSIDE_ORG_ID: testOrganization.orgId,
    QUAYSIDE_ADMIN_EMAIL: testOrganization.adminEmail,
    QUAYSIDE_ADMIN_PASSWORD: testOrganization.adminPassword,
    QUAYSIDE_CLIENT_ID: testOrganization.clientId,
    QUAYSIDE_CLIENT_SECRET: testOrganization.clientSecret,
    QUAYSIDE_DEMO: 'false',
    QUAYSIDE_RATE_LIMIT: '0',
    QUAYSIDE_LOG_LEVEL: 'silent',
    ...environment,
  });
  const app = await startApp(config, silentLog, { webDirectory: dataDir, pid: process.pid, checkReplies: true });
  const url = `http://127.0.0.1:${app.port}`;
  const callerOf = async (clientId: string, clientSecret: string) => {
    const response = await fetch(`${url}/v1/auth/access_token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ clientId, clientSecret }),
    });
    const { accessToken } = (await response.json()) as { accessToken: string };
    return createCaller(url, { authorization: `Bearer ${accessToken}` });
  };
  const login = async (email: string, password: string) => {
    const response = await fetch(`${url}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
    return createCaller(url, { cookie, origin: url });
  };
  const machine = await callerOf(testOrganization.clientId, testOrganization.clientSecret);
  const admin = await login(testOrganization.adminEmail, testOrganization.adminPassword);
  const nobody = createCaller(url, {});
  let actions = 0;
  return {
    app,
    url,
    databaseUrl: database.url,
    machine,
    admin,
    nobody,
    callerOf,
    login,
    async join(email, teams = []) {
      const { passwordLink } = (await admin.call(peopleRoutes.invite, { body: { invitee: { email, teams } } })).body;
      const password = `the password of ${email}`;
      const token = new URL(passwordLink.link).hash.slice(1);
      await nobody.call(peopleRoutes.setPassword, { body: { token, password } });
      return login(email, password);
    },
    async executeNew(invocationMethod, change = {}) {
      const identifier = `action-of-its-own-${++actions}`;
      const trigger = { type: 'self-service' as const, operation: 'CREATE' as const, userInputs: { properties: {} } };
      const body = { identifier, trigger, invocationMethod: invocationMethod as never, ...change };
      await machine.call(actionRoutes.create, { body });
      const params = { action_identifier: identifier };
      return (await machine.call(runRoutes.execute, { params, body: { properties: {} } })).body.run;
    },
    async otherOrganization() {
      const start = {
        orgId: `org_${randomBytes(8).toString('hex')}`,
        clientId: randomBytes(16).toString('hex'),
        clientSecret: randomBytes(32).toString('hex'),
      };
      const passwordHash = await hashPassword('another password');
      await app.database.system((tx) =>
        createOrganization(tx, app.vault, {
          ...start,
          adminEmail: `admin@${start.orgId}.example`,
          orgName: 'Other',
          orgSettings: {},
          passwordHash,
        }),
      );
      return callerOf(start.clientId, start.clientSecret);
    },
    async stop() {
      await app.stop();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function createCaller(url: string, headers: Readonly<Record<string, string>>): Caller {
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } });
  const send = async (route: Route, input: { params?: unknown; query?: unknown; body?: unknown } = {}) => {
    let path = route.path;
    for (const [name, value] of Object.entries((input.params ?? {}) as Record<string, string>))
      path = path.replace(`:${name}`, encodeURIComponent(value));
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries((input.query ?? {}) as Record<string, unknown>))
      for (const item of Array.isArray(value) ? value : [value])
        if (item !== undefined) query.append(name, String(item));
    const response = await request(`${path}${query.size > 0 ? `?${query}` : ''}`, {
      method: route.method,
      ...(input.body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(input.body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as never };
  };
  return {
    async call(route, input) {
      const answer = await send(route, input);
      if (answer.status !== route.status)
        throw new Error(`${route.id} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer;
    },
    async refused(route, input) {
      const answer = await send(route, input);
      if (answer.status < 400)
        throw new Error(`${route.id} was not refused: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer;
    },
    fetch: request,
  };
}
