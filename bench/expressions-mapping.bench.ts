import { compileMapping, compileTemplate } from '@quayside/expressions';
import { perSecond, ROUNDS, realistic, repository, simple } from './expressions-data.ts';
import { writeSection } from './results.ts';

/**
 * Whole mappings: documents per second on one core, from raw item to entity with all fields and reasons. The documents
 * are all different, so that nothing can be remembered.
 */
const DOCUMENTS = 20_000;

const body = {
  url: 'https://ci.example/{{ .inputs.repository.identifier }}/run',
  headers: { 'x-run': '{{ .run.id }}', authorization: 'Bearer {{ .secrets.TOKEN }}' },
  payload: {
    ref: '{{ .inputs.branch // "main" }}',
    tags: '{{ .inputs.tags }}',
    by: '{{ .trigger.by.user.email }}',
    '{{ if .inputs.debug then "debug" else null end }}': true,
    '{{ spreadValue() }}': '{{ .inputs.extra }}',
  },
};

const documents = Array.from({ length: DOCUMENTS }, (_, index) => repository(index));
const bytes = Math.round(JSON.stringify(documents).length / DOCUMENTS);
const rows: string[] = [];
const addRow = (what: string, rate: number): void => {
  rows.push(`| ${what} | ${rate.toLocaleString('en')} |`);
};

for (const [what, resource] of [
  ['simple mapping: 7 paths and literals', simple],
  ['realistic mapping: selector, team, icon, 10 properties, 2 relations', realistic],
] as const) {
  const compiled = compileMapping(resource);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.mistakes));
  const { mapping } = compiled;
  const report = mapping.run(documents.slice(0, 1000));
  const broken = report.faults.filter((fault) => fault.reason !== 'null');
  if (broken.length > 0) throw new Error(JSON.stringify(broken));
  addRow(
    what,
    perSecond(DOCUMENTS, () => mapping.run(documents)),
  );
}

const template = compileTemplate(body);
const context = {
  inputs: { repository: { identifier: 'r1' }, branch: 'dev', tags: ['a', 'b'], extra: { x: 1, y: 2 } },
  run: { id: 'r_1' },
  trigger: { by: { user: { email: 'a@example.org' } } },
};
const renders = 20_000;
addRow(
  'webhook template, 9 blocks, rendered',
  perSecond(renders, () => {
    for (let index = 0; index < renders; index++) template.render({ ...context, secrets: { TOKEN: 't' } });
  }),
);
addRow(
  'the same with secrets masked for the record (two renders)',
  perSecond(renders, () => {
    for (let index = 0; index < renders; index++) template.renderWithSecrets(context, { TOKEN: 't' });
  }),
);
addRow(
  'the same compiled and rendered (texts cached)',
  perSecond(renders, () => {
    for (let index = 0; index < renders; index++) compileTemplate(body).render(context);
  }),
);

const table = ['| per second, one core | rate |', '| --- | ---: |', ...rows].join('\n');
process.stdout.write(`${table}\n`);
writeSection({
  name: 'expressions-mapping',
  about: `Whole mappings over ${DOCUMENTS.toLocaleString('en')} different documents of ${bytes} bytes, and whole templates; best of ${ROUNDS} rounds, processor time.`,
  body: table,
});
