import { describe, expect, it } from 'vitest';
import { parseAuditSearch, parseLoginSearch, parseRunsSearch, parseSelfServeSearch } from './search.ts';

describe('addresses that people wrote', () => {
  it.each([
    ['/runs?mine=true', '/runs?mine=true'],
    ['https://evil.example', undefined],
    ['//evil.example', undefined],
    ['/\\evil.example', undefined],
    ['javascript:alert(1)', undefined],
    [undefined, undefined],
  ])('the way back from the login %s leads to %s', (from, expected) => {
    expect(parseLoginSearch({ from }).from).toBe(expected);
  });

  it('lose what means nothing, and keep the rest', () => {
    expect(parseRunsSearch({ action: 'scale', source: 'NOWHERE', mine: 'true', active: 'maybe' })).toEqual({
      action: 'scale',
      mine: true,
    });
    expect(parseSelfServeSearch({ action: 42, actionInputs: [1], operation: 'EXPLODE' })).toEqual({ action: '42' });
    expect(
      parseAuditSearch({ change: 'CREATE', origin: 'UI', failed: true, from: '2026-02-01', to: '2026-13-01' }),
    ).toEqual({
      change: 'CREATE',
      origin: 'UI',
      failed: true,
      from: '2026-02-01',
    });
  });
});
