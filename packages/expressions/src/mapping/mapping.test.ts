import { describe, expect, test } from 'vitest';
import type { Json } from '../json.ts';
import { compileMapping, eventLines, type Mapping } from './index.ts';
import { leadingPath } from './items.ts';

type Overrides = { selector?: Json; port?: { [key: string]: Json }; mappings?: Json };

function resource({ selector = { query: 'true' }, port = {}, mappings }: Overrides = {}): Json {
  const entity = {
    mappings: mappings ?? {
      identifier: '.name',
      title: '.title',
      blueprint: '"service"',
      properties: { url: '.html_url', broken: '.name | keys', missing: '.nothing' },
      relations: { team: '.team' },
    },
  };
  return { kind: 'repository', selector, port: { entity, ...port } };
}

function mapping(overrides?: Overrides): Mapping {
  const compiled = compileMapping(resource(overrides));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.mistakes));
  return compiled.mapping;
}

const repository = { name: 'r1', title: 'R 1', html_url: 'https://x', team: 't', private: true };

describe('fields', () => {
  test('each field has a value or a reason', () => {
    const [result] = mapping().map(repository);
    expect(result).toMatchObject({
      outcome: 'mapped',
      entity: {
        identifier: 'r1',
        title: 'R 1',
        blueprint: 'service',
        properties: { url: 'https://x', broken: null, missing: null },
        relations: { team: 't' },
      },
    });
    expect(
      result?.outcome === 'mapped' && result.faults.map(({ field, source, reason }) => ({ field, source, reason })),
    ).toEqual([
      { field: 'properties.broken', source: '.name | keys', reason: 'runtime' },
      { field: 'properties.missing', source: '.nothing', reason: 'null' },
    ]);
  });

  test('a program that is not valid is known at once and null on every item', () => {
    const broken = mapping({
      mappings: { identifier: '.name', blueprint: '"b"', title: '.a..b[', properties: { p: 'nosuch(.)' } },
    });
    expect(broken.compileFaults.map(({ field, reason }) => [field, reason])).toEqual([
      ['title', 'compile'],
      ['properties.p', 'compile'],
    ]);
    const { entities, faults } = broken.run([repository, repository]);
    expect(entities[0]).toMatchObject({ title: null, properties: { p: null } });
    expect(faults.map(({ field, count }) => [field, count])).toEqual([
      ['title', 2],
      ['properties.p', 2],
    ]);
  });

  test('a hostile program is a fault of its field only', () => {
    const hostile = mapping({
      mappings: { identifier: '.name', blueprint: '"b"', properties: { p: '[range(1e9)]', q: '.name' } },
    });
    const [result] = hostile.map(repository);
    expect(result).toMatchObject({
      outcome: 'mapped',
      entity: { properties: { p: null, q: 'r1' } },
      faults: [{ reason: 'budget' }],
    });
  });

  // Mechanism: each program has a budget of its own, so without a shared one an item could cost fields × budget.
  test('an item has a budget too', () => {
    const properties = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`p${index}`, '[range(1e9)]']));
    const [result] = mapping({ mappings: { identifier: '.name', blueprint: '"b"', properties } }).map(repository);
    const messages = result?.outcome === 'mapped' ? result.faults.map(({ message }) => message) : [];
    expect(messages).toHaveLength(100);
    expect(messages.filter((message) => message.startsWith('the fields before this one')).length).toBeGreaterThan(90);
  });

  test('search objects have programs as leaves', () => {
    const searching = mapping({
      mappings: {
        identifier: { combinator: '"and"', rules: [{ property: '"text"', operator: '"="', value: '.name' }] },
        blueprint: '"b"',
        team: '[.team]',
        icon: "'Github' | .",
        relations: {
          owner: { combinator: '"and"', rules: [{ property: '"email"', operator: '"="', value: '.mail' }] },
        },
      },
    });
    const [result] = searching.map(repository);
    expect(result).toMatchObject({
      outcome: 'mapped',
      entity: {
        identifier: { combinator: 'and', rules: [{ property: 'text', operator: '=', value: 'r1' }] },
        team: ['t'],
        icon: 'Github',
        relations: { owner: { rules: [{ value: null }] } },
      },
      faults: [{ field: 'relations.owner.rules[0].value', reason: 'null' }],
    });
  });

  test('only an empty identifier or blueprint drops the entity', () => {
    const names = [{ name: '' }, { name: null }, { name: 0 }, { name: [] }, { name: 'x' }];
    expect(mapping().run(names).counts).toMatchObject({ raw: 5, items: 5, dropped: 4, mapped: 1 });
  });
});

describe('selector', () => {
  test('true, false, and anything else', () => {
    const selective = mapping({ selector: { query: '.private' } });
    const { counts, faults } = selective.run([
      repository,
      { ...repository, private: false },
      { name: 'x', private: 'yes' },
    ]);
    expect(counts).toEqual({ raw: 3, items: 3, mapped: 1, filtered: 1, dropped: 0, failed: 1 });
    expect(faults.find(({ field }) => field === 'selector.query')?.message).toBe(
      "Expected boolean value for pattern '.private', got a value of type string instead",
    );
  });
});

describe('itemsToParse', () => {
  const item = { name: 'p', meta: { total: 2, files: [{ path: 'a' }, { path: 'b' }] } };
  const mappings = { identifier: '.file.path', blueprint: '"file"', properties: { rest: 'del(.file)' } };

  test('the array gives its place to one element', () => {
    const expanding = mapping({
      port: { itemsToParse: '.meta.files', itemsToParseName: 'file', entity: { mappings } },
    });
    expect(expanding.run([item]).entities).toMatchObject([
      { identifier: 'a', properties: { rest: { name: 'p', meta: { total: 2 } } } },
      { identifier: 'b' },
    ]);
    expect(item.meta.files).toHaveLength(2);
  });

  test('without the transform the item stays whole', () => {
    const port = {
      itemsToParse: '.meta.files',
      itemsToParseName: 'file',
      itemsToParseTopLevelTransform: false,
      entity: { mappings },
    };
    expect(mapping({ port }).run([item]).entities[0]?.properties.rest).toEqual(item);
  });

  test('no list is a failure of the raw item', () => {
    const { counts, faults } = mapping({ port: { itemsToParse: '.name', entity: { mappings } } }).run([item]);
    expect(counts).toMatchObject({ raw: 1, failed: 1, mapped: 0 });
    expect(faults[0]?.message).toBe(
      'Failed to parse items for JQ expression .name, Expected list but got string. Skipping...',
    );
  });

  test.each([
    ['.a.b', ['a', 'b']],
    ['.a."b-c" // []', ['a', 'b-c']],
    ['.a["b"] | map(.)', ['a', 'b']],
    ['.a[] | .b', ['a']],
    ['[.a]', []],
    ['.', []],
    ['.a | .b', ['a']],
  ])('leadingPath(%s)', (source, expected) => {
    expect(leadingPath(source)).toEqual(expected);
  });
});

describe('the Kubernetes exporter’s mappings', () => {
  const mappings = [
    { identifier: '.metadata.name', blueprint: '"pod"', properties: { '*': '.metadata.labels', x: '.x' } },
    { identifier: '.metadata.name + "-2"', blueprint: '"pod"', properties: { bad: '.metadata | .name.x' } },
  ];
  const exporter = mapping({ selector: {}, mappings });

  test('lists, optional selectors, "*" and failures that drop', () => {
    const pod = { metadata: { name: 'p', labels: { app: 'a', tier: 'b' } } };
    expect(exporter.client).toBe('exporter');
    expect(exporter.map(pod)).toMatchObject([
      { outcome: 'mapped', entity: { identifier: 'p', properties: { app: 'a', tier: 'b', x: null } } },
      { outcome: 'dropped', faults: [{ field: 'properties.bad', reason: 'runtime' }] },
    ]);
  });
});

describe('event log', () => {
  test('says what the clients say', () => {
    const report = mapping({ selector: { query: '.keep' } }).run([
      { ...repository, keep: true },
      { ...repository, keep: true },
      { keep: false },
      { keep: true },
      { keep: 'maybe' },
    ]);
    const lines = eventLines(report, new Set(['properties.missing']));
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      expect.stringMatching(/^WARNING Search failed for field 'properties\.broken' - pattern: \.name \| keys: string/),
      "ERROR Unable to find valid data for: 'properties.missing': .nothing (null, missing, or misconfigured)",
      "WARNING Unable to find valid data for: 'identifier': .name (null, missing, or misconfigured)",
      "WARNING Unable to find valid data for: 'title': .title (null, missing, or misconfigured)",
      "WARNING Unable to find valid data for: 'properties.url': .html_url (null, missing, or misconfigured)",
      "WARNING Unable to find valid data for: 'relations.team': .team (null, missing, or misconfigured)",
      "WARNING Expected boolean value for pattern '.keep', got a value of type string instead",
      'WARNING 2 transformations of batch failed due to empty, null or missing values',
    ]);
  });
});

describe('configuration', () => {
  test('every mistake is listed', () => {
    expect(
      compileMapping({ kind: '', selector: {}, port: { itemsToParse: 1, entity: { mappings: { properties: [] } } } }),
    ).toEqual({
      ok: false,
      mistakes: [
        { path: 'kind', message: 'must be a non-empty string' },
        { path: 'selector.query', message: 'is required' },
        { path: 'port.entity.mappings.identifier', message: 'is required' },
        { path: 'port.entity.mappings.blueprint', message: 'is required' },
        { path: 'port.entity.mappings.properties', message: 'must be an object' },
        { path: 'port.itemsToParse', message: 'must be a string' },
      ],
    });
    expect(compileMapping('text')).toMatchObject({ ok: false });
  });
});
