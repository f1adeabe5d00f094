import { expect, it } from 'vitest';
import { replaceSection } from './results.ts';

const origin = {
  date: '2026-11-21',
  machine: '2 × a processor, 24 GiB, linux x64',
  node: '24.21.0',
  command: 'script/bench dispatch',
};
const section = { name: 'dispatch', about: 'How fast.', body: '| p50 ms |\n| --- |\n| 3 |' };

it('a section carries its origin', () => {
  expect(replaceSection('# Results\n', section, origin)).toBe(
    '# Results\n\n## dispatch\n\nHow fast.\n\n_2026-11-21 · 2 × a processor, 24 GiB, linux x64 · Node 24.21.0 · `script/bench dispatch`_\n\n| p50 ms |\n| --- |\n| 3 |\n',
  );
});

it('replaces its own section and leaves the others alone', () => {
  const other = { ...section, name: 'queue' };
  const both = replaceSection(replaceSection('# Results\n', other, origin), section, origin);
  const again = replaceSection(both, { ...section, body: '4' }, origin);
  expect(again.match(/^## .*/gm)).toEqual(['## dispatch', '## queue']);
  expect(again).toContain('\n\n4\n\n## queue');
  expect(replaceSection(again, section, origin)).toBe(both);
});
