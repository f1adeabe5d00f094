import { actionRoutes, dispatchRoutes, runRoutes, secretRoutes } from '@quayside/contracts';
import { startReceiver } from '@quayside/testkit/receiver';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookAction } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

const value = 's3cr3t/value of the vault';
let test: TestApp;
beforeAll(async () => {
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
});
afterAll(() => test.stop());

/** Every row of every table as text: what a thief of the database would read. */
async function everythingStored(): Promise<string> {
  const client = new Client({ connectionString: test.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
    );
    const texts: string[] = [];
    for (const { name } of rows) {
      const table = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`);
      texts.push(...table.rows.map(({ row }) => row));
    }
    expect(texts.length).toBeGreaterThan(10);
    return texts.join('\n');
  } finally {
    await client.end();
  }
}

describe('a secret', () => {
  it('is created, described, given a new value and deleted; its value is never shown', async () => {
    const created = await test.admin.call(secretRoutes.create, {
      body: { secretName: 'api-key', secretValue: value, description: 'of the forge' },
    });
    expect(created.body.secret).toMatchObject({ secretName: 'api-key', description: 'of the forge' });
    const params = { secret_name: 'api-key' };
    const patched = await test.admin.call(secretRoutes.patch, {
      params,
      body: { secretName: 'api-key', secretValue: `${value} 2`, description: 'new' },
    });
    const listed = await test.admin.call(secretRoutes.list);
    const read = await test.admin.call(secretRoutes.get, { params });
    expect(read.body.secret.description).toBe('new');
    expect(JSON.stringify([created.body, patched.body, listed.body, read.body])).not.toContain('s3cr3t');
    expect(await everythingStored()).not.toContain('s3cr3t');
    await test.admin.call(secretRoutes.remove, { params });
    expect((await test.admin.refused(secretRoutes.get, { params })).status).toBe(404);
  });

  it.each([
    ['a taken name', { secretName: 'twice', secretValue: 'x' }, 409, 'already taken'],
    ['a name with a blank', { secretName: 'a b', secretValue: 'x' }, 422, 'body.secretName'],
    ['no value', { secretName: 'empty' }, 422, 'body.secretValue is required'],
    ['an unknown field', { secretName: 'y', secretValue: 'x', colour: 'red' }, 422, 'body.colour'],
  ])('with %s is refused', async (_name, body, status, message) => {
    await test.admin.fetch('/v1/organization/secrets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secretName: 'twice', secretValue: 'x' }),
    });
    const refused = await test.admin.refused(secretRoutes.create, { body });
    expect([refused.status, refused.body.message]).toEqual([status, expect.stringContaining(message)]);
  });

  it('is not renamed', async () => {
    await test.admin.call(secretRoutes.create, { body: { secretName: 'old', secretValue: 'x' } });
    const refused = await test.admin.refused(secretRoutes.patch, {
      params: { secret_name: 'old' },
      body: { secretName: 'new' },
    });
    expect(refused.body.details?.[0]?.path).toBe('body.secretName');
  });
});

describe('a template with secrets', () => {
  const invocation = (url: string) => ({
    url: `${url}/{{ .secrets.FORGE_TOKEN | @uri }}`,
    body: {
      token: '{{ .secrets.FORGE_TOKEN }}',
      start: '{{ .secrets.FORGE_TOKEN[0:6] }}',
      encoded: '{{ .secrets.FORGE_TOKEN | @base64 }}',
      name: '{{ .inputs.name }}',
    },
  });
  beforeAll(async () => {
    await test.admin.call(secretRoutes.create, { body: { secretName: 'FORGE_TOKEN', secretValue: value } });
  });
  const execute = async (action: string) =>
    (
      await test.machine.call(runRoutes.execute, {
        params: { action_identifier: action },
        body: { properties: { name: 'shop' } },
      })
    ).body.run;

  it('sends them and stores none of them, whatever the receiver answers', async () => {
    const receiver = await startReceiver();
    receiver.answer = (_request, response) => void response.end(JSON.stringify({ echo: value }));
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'direct', agent: false, synchronized: true, ...invocation(receiver.url) }),
    });
    const { id } = await execute('direct');
    await expect
      .poll(async () => (await test.machine.call(runRoutes.get, { params: { run_id: id } })).body.run.status)
      .toBe('SUCCESS');
    const [sent] = receiver.requests;
    expect(sent?.path).toBe(`/${encodeURIComponent(value)}`);
    expect(JSON.parse(String(sent?.body))).toEqual({
      token: value,
      start: value.slice(0, 6),
      encoded: Buffer.from(value).toString('base64'),
      name: 'shop',
    });
    const { run } = (await test.machine.call(runRoutes.get, { params: { run_id: id } })).body;
    expect(run.payload?.body).toMatchObject({ token: '******', start: '******', name: 'shop' });
    expect(run.response).toEqual({ echo: '******' });
    const stored = await everythingStored();
    expect(stored).not.toContain(value);
    expect(stored).not.toContain(encodeURIComponent(value));
    expect(stored).not.toContain(Buffer.from(value).toString('base64'));
    await receiver.close();
  });

  it('reaches the agent whole, and what the backend logs of it is hidden', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'through-agent', ...invocation('http://10.0.0.1') }),
    });
    const { id } = await execute('through-agent');
    const { runs } = (
      await test.machine.call(dispatchRoutes.claim, {
        body: { installationId: '_PORT_EXEC_AGENT', limit: 10, invocationMethod: 'WEBHOOK' },
      })
    ).body;
    const claimed = runs.find((run) => run.id === id);
    expect(claimed?.payload).toMatchObject({
      body: { token: value },
      url: `http://10.0.0.1/${encodeURIComponent(value)}`,
    });
    await test.machine.call(runRoutes.addLog, { params: { run_id: id }, body: { message: `using ${value} now` } });
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: id } })).body;
    expect(runLogs.at(-1)?.message).toBe('using ****** now');
    expect(await everythingStored()).not.toContain(value);
  });

  it('gets null for a secret that does not exist', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'missing', body: { token: '{{ .secrets.NOWHERE }}' } }),
    });
    expect((await execute('missing')).payload?.body).toEqual({ token: null });
  });
});
