import { describe, expect, it } from 'vitest';
import { readRules } from './targets.ts';

const passes = (entries: unknown, request: string) => {
  const [method = '', url = ''] = request.split(' ');
  return readRules(JSON.stringify(entries)).some((rule) => rule(method, new URL(url)));
};

describe('a list of targets', () => {
  const shop = [{ hosts: ['shop.internal'], paths: ['/hooks/*', '/ping'], methods: ['post'] }];
  it.each<[unknown, string, boolean]>([
    [shop, 'POST https://shop.internal/hooks/a/b?x=1', true],
    [shop, 'POST http://SHOP.internal./ping', true],
    [shop, 'GET https://shop.internal/ping', false],
    [shop, 'POST https://shop.internal/hooks', false],
    [shop, 'POST https://shop.internal/ping/more', false],
    [shop, 'POST https://shop.internal/hooks/../admin', false],
    [shop, 'POST https://shop.internal/hooks/%2e%2e/admin', false],
    [shop, 'POST https://shop.internal.evil.test/hooks/a', false],
    [shop, 'POST https://user@evil.test/hooks/shop.internal', false],
    [[{ hosts: ['*.corp.test'] }], 'DELETE https://a.b.corp.test/x', true],
    [[{ hosts: ['*.corp.test'] }], 'POST https://corp.test/', false],
    [[{ hosts: ['*.corp.test'] }], 'POST https://evilcorp.test/', false],
    [[{ hosts: ['a.test:8443'] }], 'POST https://a.test:8443/', true],
    [[{ hosts: ['a.test:443'] }], 'POST https://a.test/', true],
    [[{ hosts: ['a.test:443'] }], 'POST http://a.test/', false],
    [[{ hosts: ['[::1]:80'] }], 'POST http://[::1]/', true],
    [[{ hosts: ['*'], methods: ['GET'] }], 'GET http://any.test/', true],
    [[{ hosts: ['a.test'], paths: ['/v1.0/(x)'] }], 'POST http://a.test/v1.0/(x)', true],
    [[{ hosts: ['a.test'], paths: ['/v1.0'] }], 'POST http://a.test/v1x0', false],
    [[{ hosts: ['a.test'] }, { hosts: ['b.test'] }], 'POST http://b.test/', true],
    [[], 'POST http://a.test/', false],
  ])('%j and %s: %s', (entries, request, expected) => {
    expect(passes(entries, request)).toBe(expected);
  });

  it.each<[string, RegExp]>([
    ['{', /JSON/],
    ['{}', /list of entries/],
    ['[1]', /entry 1 must be an object/],
    ['[{}]', /entry 1 needs hosts/],
    ['[{"hosts":["a"],"method":["POST"]}]', /method is none of/],
    ['[{"hosts":[]}]', /list of texts/],
    ['[{"hosts":["https://a"]}]', /is no host/],
    ['[{"hosts":["a.*.b"]}]', /in the middle/],
    ['[{"hosts":["a"],"paths":["x"]}]', /must begin with/],
  ])('%s is refused', (text, expected) => {
    expect(() => readRules(text)).toThrow(expected);
  });
});
