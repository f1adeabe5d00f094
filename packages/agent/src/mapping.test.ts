import { describe, expect, it } from 'vitest';
import { defaultEntries, type ReportContext } from './mapping.ts';

const note = () => {};
function run(invocationMethod: object, properties: object = {}, env: Record<string, string> = {}) {
  const message = { payload: { action: { invocationMethod }, properties }, context: { runId: 'r_1' } };
  const entry = defaultEntries(env).find((candidate) => candidate.wants(message, note));
  if (entry === undefined) throw new Error('no entry');
  return { message, entry, request: entry.request(message, note) };
}
const gitlab = { type: 'GITLAB', groupName: 'acme/platform', projectName: 'shop' };
const env = { acme_platform_shop: 'glptt-1' };

describe('the default mapping', () => {
  it('starts a GitLab pipeline in a subgroup with the token of the project', () => {
    const { request, message } = run({ ...gitlab, defaultRef: 'develop' }, { size: 3, name: 'x', on: true }, env);
    expect(request).toEqual({
      url: 'https://gitlab.com/api/v4/projects/acme%2Fplatform%2Fshop/trigger/pipeline',
      method: 'POST',
      body: {
        ref: 'develop',
        token: 'glptt-1',
        variables: { size: '3', name: 'x', on: 'true' },
        port_payload: message,
      },
    });
  });

  it.each(['https://git.acme.example/gitlab/', 'https://git.acme.example/gitlab'])('in GitLab at %s', (GITLAB_URL) => {
    const { request } = run({ ...gitlab, groupName: 'acme' }, {}, { acme_shop: 't', GITLAB_URL });
    expect(request).toMatchObject({
      url: 'https://git.acme.example/gitlab/api/v4/projects/acme%2Fshop/trigger/pipeline',
      body: { ref: 'main', variables: {} },
    });
  });

  it('with the branch of the inputs before that of the action, and without what the action omits', () => {
    const method = { ...gitlab, defaultRef: 'develop', omitPayload: true, omitUserInputs: true };
    expect(run(method, { ref: 'hotfix' }, env).request).toMatchObject({
      body: { ref: 'hotfix', variables: {}, port_payload: {} },
    });
  });

  it('without a token is not sent, and says which variable is missing', () => {
    expect(run(gitlab).request).toEqual({
      kind: 'unpreparable',
      message: expect.stringContaining('the agent has no environment variable acme_platform_shop') as string,
    });
  });

  it('links the run to the pipeline', () => {
    const { entry, message } = run(gitlab, {}, env);
    const report = (body: string) =>
      entry.report?.(
        { message, request: { url: '' }, answer: { body, isBodyTruncated: false } } as unknown as ReportContext,
        note,
      );
    expect(report('{"id":42,"web_url":"https://gitlab.com/p/42"}')).toEqual({
      link: 'https://gitlab.com/p/42',
      externalRunId: '42',
    });
    expect(report('not JSON')).toEqual({});
  });

  it('sends everything else to its URL, changes of the catalog included', () => {
    const change = {
      action: 'UPDATE',
      changelogDestination: { type: 'WEBHOOK', agent: true, url: 'http://svc/changes' },
    };
    const entry = defaultEntries({}).find((candidate) => candidate.wants(change, note));
    expect(entry?.request(change, note)).toMatchObject({ url: 'http://svc/changes', body: change });
  });
});
