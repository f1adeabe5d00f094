import { describe, expect, it } from 'vitest';
import type { ReportContext } from './mapping.ts';
import { compileEntries } from './mapping-entry.ts';

const message = {
  action: 'scaffold',
  headers: { 'X-Team': 'blue' },
  payload: {
    properties: { name: 'shop', size: 3, tags: ['a'] },
    action: { invocationMethod: { type: 'WEBHOOK', url: 'http://svc/hook', method: 'PUT' } },
  },
  context: { runId: 'r_1' },
};

function entry(document: Record<string, unknown>, env: Record<string, string> = {}) {
  const warnings: string[] = [];
  const notes: string[] = [];
  const compiled = compileEntries([document], env, (sentence) => warnings.push(sentence));
  if (!compiled.ok) throw new Error(compiled.mistake);
  const [first] = compiled.entries;
  if (first === undefined) throw new Error('no entry');
  const note = (sentence: string) => void notes.push(sentence);
  return {
    warnings,
    notes,
    wants: (text: Record<string, unknown> = message) => first.wants(text, note),
    request: () => first.request(message, note),
    report: (context: Partial<ReportContext['answer']>) =>
      first.report?.(
        {
          message,
          request: { url: 'http://svc/hook', method: 'POST', body: { a: 1 } },
          answer: {
            kind: 'answered',
            statusCode: 200,
            headers: { 'x-job-id': '7' },
            body: '',
            isBodyTruncated: false,
            durationMs: 1,
            ...context,
          },
        },
        note,
      ),
  };
}

describe('enabled', () => {
  it.each<[unknown, boolean]>([
    [undefined, true],
    [true, true],
    [false, false],
    ['true', true],
    ['.action == "scaffold"', true],
    ['.action == "other"', false],
    // Only the literal true counts.
    ['.action', false],
    ['1', false],
    ['empty', false],
    ['.action | tonumber', false],
    ['.payload.action.invocationMethod.type == "WEBHOOK", false', true],
  ])('%j → %j', (enabled, expected) => {
    expect(entry(enabled === undefined ? {} : { enabled }).wants()).toBe(expected);
  });
});

describe('the request', () => {
  it('is the message to the URL of the action when the entry says nothing, without the headers of the action', () => {
    expect(entry({}).request()).toEqual({
      url: 'http://svc/hook',
      method: 'PUT',
      headers: {},
      query: {},
      body: message,
    });
  });

  it('is what the programs say: in texts, objects and lists, with other values as they are', () => {
    const { request, notes } = entry(
      {
        url: '"https://gitlab.example.com/" + .payload.properties.name',
        method: '"PATCH"',
        headers: { Authorization: '"Bearer " + env.TOKEN', 'X-Team': '.headers["X-Team"]', 'X-None': '.nothing' },
        query: { size: '.payload.properties.size' },
        body: {
          ref: '"main"',
          list: ['.payload.properties.name', 5, { deep: '.context.runId' }],
          empty: {},
          flag: true,
          none: null,
          first: '1, 2',
        },
      },
      { TOKEN: 's3cret' },
    );
    expect(request()).toEqual({
      url: 'https://gitlab.example.com/shop',
      method: 'PATCH',
      headers: { Authorization: 'Bearer s3cret', 'X-Team': 'blue', 'X-None': null },
      query: { size: 3 },
      body: { ref: 'main', list: ['shop', 5, { deep: 'r_1' }], empty: {}, flag: true, none: null, first: 1 },
    });
    expect(notes).toEqual([]);
  });

  it('takes headers, query and body from one program each', () => {
    const { request } = entry({
      headers: '.headers // {}',
      query: '{a: .payload.properties.size}',
      body: '.payload.properties',
    });
    expect(request()).toMatchObject({
      headers: { 'X-Team': 'blue' },
      query: { a: 3 },
      body: message.payload.properties,
    });
  });

  it('has no body where the program gives null', () => {
    expect(entry({ body: '.nothing' }).request()).not.toHaveProperty('body');
  });
});

describe('a program that fails', () => {
  it('gives null, and says which one and why, without values of the message', () => {
    const { request, notes } = entry({ url: '.action | tonumber', body: { a: 'error("leak")', b: '.action' } });
    expect(request()).toMatchObject({ url: null, body: { a: null, b: 'scaffold' } });
    expect(notes).toEqual([
      expect.stringMatching(/^entry 1: url failed and gives null: .+/) as string,
      expect.stringMatching(/^entry 1: body\.a failed and gives null/) as string,
    ]);
    expect(notes.join()).not.toContain('scaffold');
  });

  it('because it is no jq is known when the file is read, with the remedy for the usual mistake', () => {
    const { warnings, notes, request } = entry({ url: 'https://svc.example.com/hook' });
    expect(warnings).toEqual([
      expect.stringMatching(/^entry 1: url is not valid jq.*A fixed text needs inner quotes/) as string,
    ]);
    expect(request()).toMatchObject({ url: null });
    expect(notes).toEqual(warnings);
  });

  it('that never ends is stopped', () => {
    const { request, notes } = entry({ url: '[range(1e12)] | length' });
    expect(request()).toMatchObject({ url: null });
    expect(notes).toHaveLength(1);
  });
});

describe('report', () => {
  const report = {
    status: 'if .response.statusCode == 200 then "SUCCESS" else "FAILURE" end',
    link: '.response.json.links',
    summary: '"job " + .response.headers["X-Job-Id"] + " of " + .body.action + " by " + .request.method',
    externalRunId: '.response.json.id',
  };

  it('sees message, request and response', () => {
    expect(entry({ report }).report({ body: '{"id":12,"links":["http://a","http://b"]}' })).toEqual({
      status: 'SUCCESS',
      link: ['http://a', 'http://b'],
      summary: 'job 7 of scaffold by POST',
      externalRunId: '12',
    });
  });

  it('leaves out what is null, and has no json where the answer is none', () => {
    const { report: apply } = entry({ report: { link: '.response.json.link', summary: '.response.text' } });
    expect(apply({ body: 'plain text' })).toEqual({ summary: 'plain text' });
    expect(apply({ body: '{"a":', isBodyTruncated: true })).toEqual({ summary: '{"a":' });
  });

  it('uses no status that a run can not have', () => {
    const { report: apply, notes } = entry({ report: { status: '"done"' } });
    expect(apply({})).toEqual({});
    expect(notes).toEqual([expect.stringContaining('something else than SUCCESS or FAILURE') as string]);
  });

  it('is absent where the entry has none', () => {
    expect(entry({}).report({})).toBeUndefined();
  });
});

describe('a document that is no mapping', () => {
  it.each<[unknown, RegExp]>([
    [{}, /must be a list of entries/],
    [[1], /^entry 1 must be an object/],
    [[{}, { enabled: 3 }], /^entry 2: enabled must be/],
    [[{ url: {} }], /^entry 1: url must be a jq program/],
    [[{ body: [] }], /^entry 1: body must be an object or a jq program/],
    [[{ report: '.x' }], /^entry 1: report must be an object$/],
    [[{ fieldsToDecryptPaths: 'a.b' }], /^entry 1: fieldsToDecryptPaths must be a list/],
  ])('%j is refused: %s', (document, mistake) => {
    const compiled = compileEntries(document, {}, () => {});
    expect(compiled).toEqual({ ok: false, mistake: expect.stringMatching(mistake) as string });
  });

  it('names keys it does not know', () => {
    expect(entry({ uri: '.x' }).warnings).toEqual(['entry 1: uri is not a key of a mapping and is ignored']);
  });
});
