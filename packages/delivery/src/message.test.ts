import { describe, expect, it } from 'vitest';
import { buildMessage, signMessage, verifyMessage } from './message.ts';

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

describe('a signed message', () => {
  const claimed = (more: object = {}) => ({
    id: 'r_1',
    payload: { ...invocation, body: { payload: { properties: { small: 0.00001, text: 'ü\u2028' } } }, ...more },
  });
  const signed = (more?: object) =>
    JSON.parse(signMessage(buildMessage(claimed(more)), 'secret', 1_700_000_000)) as Record<string, unknown>;

  it('verifies, and comes back without its signature', () => {
    expect(verifyMessage(signed(), 'secret')).toEqual({ kind: 'valid', message: buildMessage(claimed()) });
  });

  it('keeps headers of the action that look like a signature out of what is signed', () => {
    const message = signed({ headers: { 'X-Port-Signature': 'mine', 'X-Team': 'a' } });
    expect(verifyMessage(message, 'secret')).toMatchObject({ kind: 'valid', message: { headers: { 'X-Team': 'a' } } });
  });

  it('of a GitLab pipeline verifies whatever its headers are', () => {
    const message = signed({ type: 'GITLAB' });
    Object.assign(message.headers as object, { 'X-Team': 'changed' });
    expect(verifyMessage(message, 'secret').kind).toBe('valid');
  });

  it('verifies when it was written as JavaScript writes numbers', () => {
    const text = signMessage(buildMessage(claimed()), 'secret', 1).replace('1e-05', '0.00001');
    expect(verifyMessage(JSON.parse(text) as Record<string, unknown>, 'secret').kind).toBe('valid');
  });

  it('that was changed, signed with another secret, or not signed is told apart', () => {
    expect(verifyMessage({ ...signed(), more: 1 }, 'secret')).toEqual({ kind: 'forged' });
    expect(verifyMessage(signed(), 'other')).toEqual({ kind: 'forged' });
    expect(verifyMessage(buildMessage(claimed()), 'secret')).toEqual({ kind: 'unsigned' });
    expect(verifyMessage({ headers: 'none' }, 'secret')).toEqual({ kind: 'unsigned' });
  });
});
