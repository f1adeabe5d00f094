import { describe, expect, it } from 'vitest';
import { buildMessage } from './message.ts';

const invocation = {
  type: 'WEBHOOK',
  url: 'http://service/hook',
  agent: true,
  synchronized: 'true',
  method: 'PUT',
  headers: { 'X-Team': 'a' },
};

describe('buildMessage', () => {
  it('puts invocation, run id and headers into the body', () => {
    const body = {
      action: 'scaffold',
      trigger: { by: { orgId: 'o' } },
      context: { entity: null, runId: 'old' },
      payload: { properties: { name: 'x' }, action: { identifier: 'scaffold' } },
    };
    const expected = { ...invocation, agent: true, synchronized: true };
    expect(buildMessage({ id: 'r_1', payload: { ...invocation, body } })).toEqual({
      ...body,
      headers: { 'X-Team': 'a' },
      context: { entity: null, runId: 'r_1' },
      payload: { properties: { name: 'x' }, action: { identifier: 'scaffold', invocationMethod: expected } },
    });
    expect(body.context.runId).toBe('old');
  });

  it.each<[string, unknown, Record<string, unknown>]>([
    ['no body', undefined, {}],
    ['null', null, { payload: { body: null } }],
    ['a list', [1], { payload: { body: [1] } }],
    ['a text', 'x', { payload: { body: 'x' } }],
    ['a payload that is a text', { payload: 'x' }, { payload: { body: 'x' } }],
    ['an action that is a text', { payload: { action: 'deploy' } }, { payload: { action: { identifier: 'deploy' } } }],
    ['a context that is a number', { context: 7 }, { context: { value: 7, runId: 'r_1' } }],
  ])('keeps %s', (_, body, expected) => {
    const message = buildMessage({ id: 'r_1', payload: { type: 'WEBHOOK', url: 'http://s/', body } });
    expect(message).toMatchObject(expected);
    expect(message.context.runId).toBe('r_1');
    expect(message.headers).toEqual({});
    expect(message.payload.action.invocationMethod).toEqual({
      type: 'WEBHOOK',
      url: 'http://s/',
      agent: true,
      synchronized: false,
      method: 'POST',
      headers: {},
    });
  });
});
