import { expect, it } from 'vitest';
import { isOwnCall } from './model-own-call.ts';

/** A template that could steer the organization's token to another route would let everybody do everything. */
const own = 'https://portal.example';
const runs = `${own}/v1/actions/{{ .inputs.action }}/runs`;
it.each([
  ['a literal address', `${own}/v1/actions/x/runs`, `${own}/v1/actions/x/runs`, true],
  ['a filled-in part', runs, `${own}/v1/actions/deploy/runs`, true],
  ['a filled-in parameter', `${own}/v1/runs?run_as={{ .trigger.by }}`, `${own}/v1/runs?run_as=a%40b.c`, true],
  ['more parts', runs, `${own}/v1/actions/x/permissions/runs`, false],
  ['a part that begins the parameters', runs, `${own}/v1/actions/x?/runs`, false],
  ['a part that begins the fragment', runs, `${own}/v1/actions/x#/runs`, false],
  ['dots', runs, `${own}/v1/actions/../credentials/runs`, false],
  ['written dots', runs, `${own}/v1/actions/%2e%2e/runs`, false],
  ['another parameter', `${own}/v1/runs?run_as={{ .x }}`, `${own}/v1/runs?run_as=a&force=true`, false],
  ['an address out of a template', '{{ .inputs.url }}', `${own}/v1/credentials`, false],
  ['a host that only begins so', `${own}.evil/v1`, `${own}.evil/v1`, false],
  ['somebody else', 'https://other.example/v1', 'https://other.example/v1', false],
])('%s', (_name, written, rendered, isOwn) => {
  const payload = {
    type: 'WEBHOOK',
    agent: false,
    url: rendered,
    synchronized: true,
    method: 'POST',
    headers: {},
    body: {},
  } as const;
  expect(isOwnCall(`${own}/`, { url: written }, payload)).toBe(isOwn);
});

it('an agent never gets the token', () => {
  const payload = {
    type: 'WEBHOOK',
    agent: true,
    url: `${own}/v1`,
    synchronized: true,
    method: 'POST',
    headers: {},
    body: {},
  } as const;
  expect(isOwnCall(own, { url: `${own}/v1` }, payload)).toBe(false);
});
