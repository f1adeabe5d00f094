import { ActionPermissions, permissionRoutes } from '@quayside/contracts';
import { compileExpression } from '@quayside/expressions';
import { Value } from 'typebox/value';
import { expect, it } from 'vitest';
import { isForEveryone, limitOf, readPermissions, setRole, startGuardrails, startPolicy } from './permission-model.ts';

it.each([
  ['', null],
  [3, 3],
  ['4', 4],
  [0, null],
  [1.5, null],
  [1_000_000, 10_000],
])('the limit %j is %j', (typed, limit) => {
  expect(limitOf(typed)).toBe(limit);
});

it('everyone is the role that all have', () => {
  expect(isForEveryone(startGuardrails.permissions.execute)).toBe(true);
  const roles = setRole(['Member', 'Admin'], 'Member', false);
  expect(isForEveryone({ roles })).toBe(false);
  expect(setRole(roles, 'Member', true)).toEqual(['Admin', 'Member']);
  expect(setRole(['Member'], 'Member', true)).toEqual(['Member']);
});

it('the policies to begin with are policies', () => {
  for (const side of ['execute', 'approve'] as const) {
    const body = { [side]: { policy: startPolicy[side] } };
    expect(Value.Check(permissionRoutes.patch.body, body)).toBe(true);
    for (const condition of startPolicy[side].conditions) expect(compileExpression(condition).ok).toBe(true);
  }
});

it.each([
  [JSON.stringify(startGuardrails.permissions), 'read'],
  ['{', 'unreadable'],
  ['{"execute": {}}', 'unreadable'],
  ['null', 'unreadable'],
])('%s is %s', (text, kind) => {
  const read = readPermissions(text);
  expect(read.kind).toBe(kind);
  if (read.kind === 'read') expect(Value.Check(ActionPermissions, read.permissions)).toBe(true);
});
