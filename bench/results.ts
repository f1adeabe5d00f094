import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';

/**
 * Writes one benchmark's section of bench/RESULTS.md and leaves the others alone. A section says what was measured, when,
 * on what machine, with which Node and by which command, so that a number without its origin cannot be committed.
 */
export interface Section {
  /** The benchmark's file name without `.bench.ts`; also the anchor of the section. */
  name: string;
  /** One paragraph: what is measured, and compared with what. */
  about: string;
  /** Markdown: tables with units in their headings. */
  body: string;
}

export interface Origin {
  date: string;
  machine: string;
  node: string;
  command: string;
}

const resultsFile = new URL('RESULTS.md', import.meta.url);
const head = '# Results\n\nEach section is written by the command that it names. Do not edit by hand.\n';

export function writeSection(section: Section): void {
  let before = head;
  try {
    before = readFileSync(resultsFile, 'utf8');
  } catch {
    // The first benchmark of a fresh file.
  }
  writeFileSync(resultsFile, replaceSection(before, section, originOfThisRun(section.name)));
}

/** `document` with the section replaced, or added in alphabetical order. */
export function replaceSection(document: string, section: Section, origin: Origin): string {
  const [top = head, ...parts] = document.split(/^(?=## )/m);
  const others = parts.filter((part) => titleOf(part) !== section.name).map((part) => part.trimEnd());
  const sections = [...others, render(section, origin)].sort((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
  return `${top.trimEnd()}\n\n${sections.join('\n\n')}\n`;
}

function titleOf(part: string): string {
  return part.slice('## '.length, part.indexOf('\n'));
}

function render(section: Section, origin: Origin): string {
  const facts = `_${origin.date} · ${origin.machine} · Node ${origin.node} · \`${origin.command}\`_`;
  return `## ${section.name}\n\n${section.about.trim()}\n\n${facts}\n\n${section.body.trim()}`;
}

function originOfThisRun(name: string): Origin {
  const processors = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memoryGiB} GiB, ${platform()} ${arch()}`,
    node: process.versions.node,
    command: `script/bench ${name}`,
  };
}

/** Numbers under their headings, in the formatter's shape. */
export function table(heads: readonly string[], rows: readonly (string | number)[][]): string[] {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell, index) => String(cell).padStart(heads[index]?.length ?? 0)).join(' | ')} |`;
  return [line(heads), line(heads.map((head) => `${'-'.repeat(head.length - 1)}:`)), ...rows.map(line)];
}
