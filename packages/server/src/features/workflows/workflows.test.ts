import { type WorkflowBody, workflowRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.stop());

const document = (identifier: string): WorkflowBody => ({
  identifier,
  title: 'Review',
  allowAnyoneToViewRuns: false,
  nodes: [
    {
      identifier: 'trigger',
      verbose: true,
      config: {
        type: 'EVENT_TRIGGER',
        published: true,
        event: { type: 'ENTITY_UPDATED', blueprintIdentifier: 'service' },
      },
    },
    {
      identifier: 'notify',
      config: { type: 'WEBHOOK', url: 'https://hooks.example/{{ .outputs.trigger.id }}', onFailure: 'continue' },
    },
  ],
  connections: [{ sourceIdentifier: 'trigger', targetIdentifier: 'notify', fallback: true }],
});
const at = (workflow_identifier: string) => ({ params: { workflow_identifier } });

describe('a workflow', () => {
  it.each([
    ['two nodes of one name', { nodes: [...document('x').nodes, ...document('x').nodes] }, 'body.nodes.2.identifier'],
    [
      'a connection to nowhere',
      { connections: [{ sourceIdentifier: 'trigger', targetIdentifier: 'nowhere' }] },
      'body.connections.0.targetIdentifier names the node "nowhere"',
    ],
    ['a node of an unknown type', { nodes: [{ identifier: 'a', config: { type: 'TELEPATHY' } }] }, 'config.type'],
    ['an unknown key', { colour: 'red' }, 'body.colour is not known here'],
  ])('with %s is refused', async (_name, change, message) => {
    const refused = await test.machine.refused(workflowRoutes.create, { body: { ...document('bad'), ...change } });
    expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining(message)]);
    expect((await test.machine.refused(workflowRoutes.get, at('bad'))).status).toBe(404);
  });

  it('comes back as it was written, is renamed by PUT, and keeps when and by whom it was made', async () => {
    const created = (await test.machine.call(workflowRoutes.create, { body: document('first') })).body.workflow;
    expect(created).toMatchObject(document('first'));
    expect(Object.keys(created.nodes[0]?.config ?? {})).toEqual(['type', 'published', 'event']);
    expect(created).not.toHaveProperty('description');
    expect((await test.machine.refused(workflowRoutes.create, { body: document('first') })).status).toBe(409);

    const { title: _title, ...untitled } = document('second');
    const replaced = (await test.machine.call(workflowRoutes.replace, { ...at('first'), body: untitled })).body
      .workflow;
    expect(replaced).toMatchObject({ ...untitled, createdAt: created.createdAt, createdBy: created.createdBy });
    expect(replaced).not.toHaveProperty('title');
    expect((await test.machine.refused(workflowRoutes.get, at('first'))).status).toBe(404);
    expect((await test.machine.call(workflowRoutes.list)).body.workflows.map((each) => each.identifier)).toEqual([
      'second',
    ]);

    await test.machine.call(workflowRoutes.remove, at('second'));
    expect((await test.machine.refused(workflowRoutes.remove, at('second'))).status).toBe(404);
  });

  it('of another organization is not seen', async () => {
    await test.machine.call(workflowRoutes.create, { body: document('private') });
    const other = await test.otherOrganization();
    expect((await other.refused(workflowRoutes.get, at('private'))).status).toBe(404);
    await other.call(workflowRoutes.create, { body: document('private') });
  });
});
