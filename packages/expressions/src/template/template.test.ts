import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../json.ts';
import { compileTemplate, maskedContext, SECRET_MASK } from './index.ts';

const context = {
  inputs: {
    name: 'a b',
    n: 3,
    flag: false,
    tags: ['x', 'y'],
    svc: { identifier: 's1', title: 'S' },
    none: null,
  },
  secrets: { 'my-tok': 'T', TOK: 'U' },
};

function render(template: Json, input: Json = context): Json | undefined {
  const rendered = compileTemplate(template).render(input);
  if (!rendered.ok) throw rendered.error;
  return rendered.value;
}

function failure(template: Json, options = {}): { code: string; message: string } {
  const rendered = compileTemplate(template).render(context, options);
  if (rendered.ok) throw new Error(`rendered ${JSON.stringify(rendered.value)}`);
  return { code: rendered.error.code, message: rendered.error.message };
}

describe('the vectors of spec/actions.md §1.12.4', () => {
  test.each<[Json, Json | undefined]>([
    ['{{ .inputs.n }}', 3],
    [' {{ .inputs.n }} ', 3],
    ['n={{ .inputs.n }}', 'n=3'],
    ['{{ .inputs.n }}{{ .inputs.n }}', '33'],
    ['tags: {{ .inputs.tags }}', 'tags: ["x","y"]'],
    ['{{ .inputs.missing }}', null],
    ['x{{ .inputs.missing }}', 'xnull'],
    [{ a: '{{ empty }}', b: 1 }, { b: 1 }],
    ['x{{ empty }}y', 'xundefinedy'],
    ['{{ .bad syntax }}', null],
    ['{{ .secrets["my-tok"] }}', 'T'],
    ["{{ if .inputs.name == 'a b' then 'yes' else 'no' end }}", 'yes'],
    ['{{ {a:{b:1} } }}', { a: { b: 1 } }],
    ['{{ .inputs.tags[] }}', 'x'],
    ['{{ env }}', {}],
    ['{{ $ENV }}', {}],
    [{ '{{ spreadValue() }}': '{{ .inputs }}' }, context.inputs],
    [
      { name: 'old', '{{ spreadValue() }}': '{{ .inputs }}', n: 99 },
      { ...context.inputs, name: 'a b', n: 99 },
    ],
    [{ '{{if (.inputs|has("ref")) then "ref" else null end}}': '{{.inputs.ref}}' }, {}],
  ])('%j', (template, expected) => {
    expect(render(template)).toEqual(expected);
  });

  test('the two that are errors', () => {
    expect(failure('{{ {a:{b:1}} }}').code).toBe('unopened-braces');
    expect(failure({ '{{ .inputs.n }}': 1 })).toEqual({
      code: 'key-not-a-string',
      message: 'a key must be a string or null, got a number (at $["{{ .inputs.n }}"])',
    });
  });
});

describe('scanner', () => {
  test.each<[Json, Json | undefined]>([
    ['plain { text } }', 'plain { text } }'],
    ['{{ "{{" }}', '{{'],
    ['{{ "}}" }}', '}}'],
    ["a {{ '}}' }} b", 'a }} b'],
    ['{{ "a\\"}}" }}', 'a"}}'],
    ['{{{a:1} }}', { a: 1 }],
    ['{{ .inputs.n }}}', 3],
    ['x{{ .inputs.n }}}', 'x3}'],
    ['\n{{ .inputs.flag }}\t', false],
    ['{{ .inputs.none }}', null],
    ['é{{ .inputs.svc.title }}😀', 'éS😀'],
    [{ '': 'dropped', a: 1 }, { a: 1 }],
    [{ '{{ "" }}': 1, '{{ empty }}': 2, '{{ null }}': 3, 'x-{{ .inputs.n }}': 4 }, { 'x-3': 4 }],
    [
      ['{{ empty }}', '{{ .inputs.n }}'],
      [null, 3],
    ],
    [{ a: [{ b: '{{ .inputs.svc.identifier }}' }] }, { a: [{ b: 's1' }] }],
    [{ '{{spreadValue()}}': '{{ .inputs.tags }}' }, { 0: 'x', 1: 'y' }],
    [
      { '{{ spreadValue ( ) }}': { a: '{{ .inputs.n }}' }, b: 1 },
      { a: 3, b: 1 },
    ],
    [{ '{{ "__proto__" }}': 1 }, JSON.parse('{"__proto__":1}')],
    [12, 12],
    [null, null],
  ])('%j', (template, expected) => {
    expect(render(template)).toEqual(expected);
  });

  test.each<[Json, string]>([
    ['{{ {{ . }} }}', 'Found "{{" at offset 3 inside the block opened at offset 0 (at $)'],
    ['a }} b', 'Found "}}" at offset 2 without an opening "{{" (at $)'],
    [{ body: ['', '{{ .a'] }, 'Found "{{" at offset 0 without a closing "}}" (at $.body[1])'],
    [{ 'x {{': 1 }, 'Found "{{" at offset 2 without a closing "}}" (at $["x {{"])'],
    ['{{{{ . }}}}', 'Found "{{" at offset 2 inside the block opened at offset 0 (at $)'],
    [
      { h: { '{{ spreadValue() }}': '{{ .inputs.n }}' } },
      'spreadValue() needs an object, got a number (at $.h["{{ spreadValue() }}"])',
    ],
    [{ '{{ spreadValue() }}': '{{ null }}' }, 'spreadValue() needs an object, got null (at $["{{ spreadValue() }}"])'],
  ])('%j fails', (template, message) => {
    expect(failure(template).message).toBe(message);
  });

  test('a document nested too deep is refused, not followed', () => {
    let document: Json = '{{ . }}';
    for (let level = 0; level < 10_000; level++) document = [document];
    expect(failure(document).code).toBe('too-deep');
  });
});

describe('single quotes (spec/actions.md §1.12.2)', () => {
  test.each<[string, Json | undefined]>([
    ["{{ if .inputs.n == 3 and .inputs.name == 'a b' then 1 else 2 end }}", 1],
    ["{{ 'x' }}", 'x'],
    ["{{ .inputs.name=='a b' }}", null],
    // Both quotes of a lone blank look like delimiters: the one before a blank closes, the one after it opens.
    ["{{ .inputs.name | split(' ') }}", ['a', 'b']],
    ["{{ .inputs.name | split(',') }}", null],
    ["{{ .inputs.tags | join(',') }}", null],
    ['{{ "it\'s" }}', "it's"],
    ["{{ .inputs.'name' }}", 'a b'],
  ])('%s', (template, expected) => {
    expect(render(template)).toEqual(expected);
  });
});

describe('secrets', () => {
  const template = compileTemplate({
    url: 'https://x/{{ .inputs.n }}',
    headers: { Authorization: 'Bearer {{ .secrets.TOK }}', plain: '{{ now }}' },
    encoded: '{{ .secrets.TOK | @base64 }}',
    all: '{{ .secrets }}',
    list: ['{{ .inputs.name }}', '{{ .secrets["my-tok"] }}'],
  });
  const { sent, stored, secretPaths } = template.renderWithSecrets({ inputs: context.inputs }, context.secrets);

  test('the request gets them, the record does not', () => {
    expect(sent).toMatchObject({ ok: true, value: { headers: { Authorization: 'Bearer U' }, list: ['a b', 'T'] } });
    expect(stored).toMatchObject({
      ok: true,
      value: {
        url: 'https://x/3',
        headers: { Authorization: `Bearer ${SECRET_MASK}` },
        all: { TOK: SECRET_MASK, 'my-tok': SECRET_MASK },
        list: ['a b', SECRET_MASK],
      },
    });
  });

  test('what used a secret is known, and the clock is no secret', () => {
    expect(secretPaths).toEqual(['$.headers.Authorization', '$.encoded', '$.all["my-tok"]', '$.all.TOK', '$.list[1]']);
  });

  // Mechanism: the record is rendered from a context without the values, so it is the same for every value.
  test('the record does not depend on any secret, whatever the program', () => {
    const programs = [
      '.secrets.A',
      '.secrets | tojson | @base64',
      '.. | strings',
      '[paths]',
      'if .secrets.A > "m" then 1 else 2 end',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...programs), fc.string(), fc.string(), (program, left, right) => {
        const one = compileTemplate({ a: `{{ ${program} }}` });
        const records = [left, right].map((value) => one.renderWithSecrets({}, { A: value }).stored);
        expect(records[0]).toEqual(records[1]);
      }),
    );
  });

  test('without secrets nothing is rendered twice', () => {
    const result = template.renderWithSecrets({ inputs: context.inputs }, {});
    expect(result.stored).toBe(result.sent);
  });
});

describe('budgets', () => {
  test('a body that grows too large is stopped, with the place', () => {
    const error = failure({
      small: '{{ "x" }}',
      body: { list: ['{{ [range(100000)] | map("0123456789") }}'.repeat(60)] },
    });
    expect(error.code).toBe('budget');
    expect(error.message).toMatch(/outputBytes.*\(at \$\.body\.list\[0\]\)/);
  });

  test('steps are shared by the whole render', () => {
    const block = '{{ [range(1000)] | length }}';
    const { message } = failure(Array(1000).fill(block), { budget: { steps: 100_000 } });
    expect(message).toMatch(/steps.*\(at \$\[\d+\]\)/);
  });

  test('one hostile block is stopped too', () => {
    expect(failure({ a: '{{ [range(1e9)] | length }}' }).code).toBe('budget');
  });
});

describe('diagnose', () => {
  test('names every mistake with path and position', () => {
    const template = compileTemplate({
      ok: '{{ 1 }}',
      a: 'x\n{{ .inputs | nosuch }}',
      b: ['{{ .inputs.n | keys }}'],
      c: '}}',
    });
    const found = template.diagnose(context).map(({ code, pointer, place }) => ({
      code,
      pointer,
      line: place?.line,
      column: place?.column,
    }));
    expect(found).toEqual([
      { code: 'unopened-braces', pointer: '$.c', line: 1, column: 1 },
      { code: 'program', pointer: '$.a', line: 2, column: 14 },
      expect.objectContaining({ code: 'program', pointer: '$.b[0]' }),
    ]);
  });

  test('messages of a masked context quote no secret', () => {
    const template = compileTemplate('{{ .secrets.TOK | keys }}');
    const [quoted] = template.diagnose(context);
    expect(quoted?.message).toContain('U');
    const [masked] = template.diagnose(maskedContext({ inputs: {} }, { TOK: 'topsecret' }));
    expect(masked?.message).toContain(SECRET_MASK);
    expect(masked?.message).not.toContain('topsecret');
  });
});

describe('properties', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !/\{\{|\}\}|""/.test(JSON.stringify(value)));

  test('a document without blocks renders to itself', () => {
    fc.assert(
      fc.property(json, (document) => {
        expect(render(document as Json)).toEqual(document);
      }),
    );
  });

  test('a value put in through the context comes out as it was', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(render({ a: '{{ .v }}' }, { v: value as Json })).toEqual({ a: value });
      }),
    );
  });

  test('no text crashes the scanner, and texts without braces are left alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', '"', "'", '\\', ' ', 'a', '.') }), (text) => {
        const rendered = compileTemplate(text).render({});
        if (!text.includes('{{') && !text.includes('}}')) expect(rendered).toEqual({ ok: true, value: text });
      }),
    );
  });
});
