import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from './portal.ts';
import type { World } from './real-world.ts';

/** A mapping file decides what is sent, and what the run is told. */
const withinMs = 60_000;

export function testMapping(world: World): void {
  const path = () => join(world.dir, 'mapping.json');
  function startWith(mapping: unknown, env: Record<string, string> = {}) {
    writeFileSync(path(), typeof mapping === 'string' ? mapping : JSON.stringify(mapping));
    return world.start({ CONTROL_THE_PAYLOAD_CONFIG_PATH: path(), ...env });
  }

  describe('a mapping file', () => {
    it('decides method, URL, headers, query and body, and what the run is told', async () => {
      const { portal, target } = world;
      startWith(
        [
          { enabled: '.action == "other"', url: '"http://127.0.0.1:1/"' },
          {
            enabled: '.action == "deploy"',
            method: '"PUT"',
            url: '.payload.action.invocationMethod.url + "/jobs/" + .payload.properties.name',
            headers: { Authorization: '"Bearer " + env.JOB_TOKEN' },
            query: { dry: '.payload.properties.dry' },
            body: { name: '.payload.properties.name', by: { run: '.context.runId' } },
            report: {
              link: '.response.json.url',
              externalRunId: '.response.json.id',
              summary: '.request.method + " " + (.response.statusCode | tostring)',
            },
          },
        ],
        { JOB_TOKEN: 'open sesame' },
      );
      target.answer = (_, response) => void response.writeHead(201).end('{"id":7,"url":"http://jobs/7"}');
      const id = await portal.enqueue({
        url: target.url,
        headers: { 'X-Not': 'forwarded' },
        body: { action: 'deploy', payload: { properties: { name: 'shop', dry: true } } },
      });
      const run = await portal.settled(id);
      const [request] = target.requests;
      expect(request).toMatchObject({ method: 'PUT', path: '/jobs/shop?dry=true' });
      expect(request?.headers.authorization).toBe('Bearer open sesame');
      expect(request?.headers).not.toHaveProperty('x-not');
      expect(request?.body.toString()).toBe(`{"name":"shop","by":{"run":"${id}"}}`);
      expect(run).toMatchObject({
        status: 'IN_PROGRESS',
        link: 'http://jobs/7',
        externalRunId: '7',
        summary: 'PUT 201',
      });
    });

    it('decrypts secret inputs for the target alone: neither the portal nor the log sees them again', async () => {
      const { portal, target } = world;
      const agent = startWith([{ fieldsToDecryptPaths: ['payload.properties.password'] }]);
      // A target that repeats what it was told.
      target.answer = (request, response) => void response.writeHead(400).end(request.body);
      const id = await portal.enqueue({
        url: target.url,
        synchronized: true,
        // The vector of spec/actions.md §1.8.
        body: { payload: { properties: { password: 'AAECAwQFBgcICQoLDA0ODxSP1Ql25STd/dHM8jty4P8HsUTG78Vm' } } },
      });
      const run = await portal.ended(id);
      expect(target.requests[0]?.body.toString()).toContain('"password":"hunter2"');
      expect(JSON.stringify(run)).not.toContain('hunter2');
      expect(agent.lines.join()).not.toContain('hunter2');
      expect(JSON.stringify(run.response)).toContain('"password":"******"');
    });

    it('whose program fails sends what is left, and the run says which program', async () => {
      const { portal, target } = world;
      const agent = startWith([{ body: { name: '.payload.nothing | tonumber', fixed: '"x"' } }]);
      const action = await portal.createAction({ url: target.url });
      // The second one shows that the agent goes on.
      for (const id of [await portal.execute(action), await portal.execute(action)]) {
        const run = await portal.settled(id);
        const sentence = 'Mapping: entry 1: body.name failed and gives null';
        expect(run.logs).toContainEqual(expect.stringContaining(sentence) as string);
      }
      expect(target.requests.map(({ body }) => body.toString())).toEqual(Array(2).fill('{"name":null,"fixed":"x"}'));
      expect(agent.lines.join()).toContain('entry 1: body.name failed and gives null');
    });

    it('that is not JSON fails the run with the remedy; once mended, a run goes through', async () => {
      const { portal, target } = world;
      const agent = startWith('[{"enabled": true,}]');
      const action = await portal.createAction({ url: target.url, synchronized: true });
      const failed = await portal.ended(await portal.execute(action));
      expect(failed).toMatchObject({
        status: 'FAILURE',
        summary: expect.stringMatching(/mapping\.json can not be used: it is not JSON .*Mend the file/) as string,
      });
      expect(agent.lines.join()).toContain('can not be used: it is not JSON');
      expect(target.requests).toHaveLength(0);
      writeFileSync(path(), '[{"enabled": true}]');
      // The file is looked at again at most once a second, when there is a run.
      for (let status = ''; status !== 'SUCCESS'; )
        status = (await portal.ended(await portal.execute(action))).status ?? '';
      expect(agent.lines.join()).toContain('the mapping is in force');
    });

    it('that wants none of it leaves the run to an agent that does', async () => {
      const { portal, target, streamer } = world;
      // In Kafka the agents of one group share what there is: one that wants other runs has a group of its own.
      const ownGroup = (name: string): Record<string, string> =>
        streamer.name === 'KAFKA'
          ? {
              KAFKA_CONSUMER_GROUP_ID: `${streamer.agentEnvironment.KAFKA_CONSUMER_GROUP_ID}.${name}`,
              KAFKA_CONSUMER_AUTO_OFFSET_RESET: 'latest',
            }
          : {};
      const choosy = startWith([{ enabled: '.payload.properties.env == "prod"' }], {
        ...ownGroup('choosy'),
        QUAYSIDE_AGENT_ID: 'choosy',
      });
      await eventually('it is there', () => isThere(choosy.lines), withinMs);
      const id = await portal.enqueue({ url: target.url, body: { payload: { properties: { env: 'dev' } } } });
      await eventually(
        'it is given up',
        () => /no entry of the mapping wants the (run|message)/.test(choosy.lines.join()),
        withinMs,
      );
      expect(target.requests).toHaveLength(0);
      if (streamer.name === 'POLLING') {
        // Otherwise chance decides which of the two takes it how often, and each time the portal waits longer.
        await choosy.stop();
      }
      world.start({ QUAYSIDE_AGENT_ID: 'willing' });
      const run = await portal.settled(id);
      expect(run.logs.find((line) => line.startsWith('Received'))).toContain('Received by the agent willing');
    });
  });

  const isThere = (lines: readonly string[]) =>
    world.streamer.name === 'POLLING' || lines.some((line) => line.includes('"msg":"consuming"'));
}
