import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Carries out a Dockerfile without Docker: a stage is a folder, a step changes it, and only what COPY names comes in. It shows
 * that the steps succeed with just those files. It does not show what depends on the base image (its user, its libraries) or
 * on layers.
 */
export interface Step {
  instruction: string;
  text: string;
  line: number;
}

export function readDockerfile(file: string): Step[] {
  const steps: Step[] = [];
  let pending = '';
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    pending += line.replace(/\\$/, ' ');
    if (line.endsWith('\\')) continue;
    const [, instruction = '', text = ''] = /^\s*([A-Z]+)\s+(.*)$/.exec(pending) ?? [];
    if (instruction === '') throw new Error(`${file}:${index + 1} is no instruction: ${pending}`);
    steps.push({ instruction, text: text.trim(), line: index + 1 });
    pending = '';
  }
  return steps;
}

export interface Image {
  /** The folder that stands for the image's root. */
  root: string;
  workdir: string;
  environment: Record<string, string>;
  command: string[];
  user: string;
  remove(): void;
}

const repository = join(import.meta.dirname, '../..');

export function buildImage(dockerfile: string): Image {
  const folder = mkdtempSync(join(tmpdir(), 'quayside-image-'));
  try {
    return build(dockerfile, folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function build(dockerfile: string, folder: string): Image {
  // Docker gives everybody's directories to the image's user to read; mkdtemp does not.
  chmodSync(folder, 0o755);
  const context = join(folder, 'context');
  copyContext(context);
  const stages = new Map<string, Image>();
  let image: Image | undefined;
  for (const { instruction, text, line } of readDockerfile(join(repository, dockerfile))) {
    const at = `${dockerfile}:${line}`;
    if (instruction === 'FROM') {
      const [, base = '', name = 'final'] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(text) ?? [];
      const parent = stages.get(base);
      const root = join(folder, name);
      image = {
        root,
        workdir: parent?.workdir ?? '/',
        environment: { ...parent?.environment },
        command: [],
        user: 'root',
        remove: () => rmSync(folder, { recursive: true, force: true }),
      };
      if (parent) execFileSync('cp', ['-a', parent.root, root]);
      else mkdirSync(root);
      stages.set(name, image);
      continue;
    }
    if (!image) throw new Error(`${at}: ${instruction} before FROM`);
    const here = join(image.root, image.workdir);
    switch (instruction) {
      case 'WORKDIR':
        image.workdir = text;
        mkdirSync(join(image.root, text), { recursive: true });
        break;
      case 'COPY': {
        const words = text.split(/\s+/);
        const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
        if (from !== undefined) words.shift();
        const source = from === undefined ? context : stages.get(from)?.root;
        if (source === undefined) throw new Error(`${at} copies from the stage ${from}, which is not there.`);
        const target = words.pop() ?? '';
        for (const word of words) copy(join(source, word), join(here, target), target.endsWith('/'), at);
        break;
      }
      case 'ENV':
        for (const [, name = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g)) image.environment[name] = value;
        break;
      case 'RUN': {
        const run = spawnSync('sh', ['-ec', text], {
          cwd: here,
          encoding: 'utf8',
          env: { ...process.env, ...image.environment },
        });
        if (run.status !== 0) throw new Error(`${at} failed: ${text}\n${run.stdout}${run.stderr}`);
        break;
      }
      case 'CMD':
        image.command = JSON.parse(text) as string[];
        break;
      case 'USER':
        image.user = text;
        break;
      case 'VOLUME':
      case 'EXPOSE':
        break;
      default:
        throw new Error(`${at}: ${instruction} is not known here.`);
    }
  }
  if (!image) throw new Error(`${dockerfile} has no FROM.`);
  return image;
}

/** As Docker copies: of a folder what is in it; a file into a folder, or under the target's name. */
function copy(source: string, target: string, isFolder: boolean, at: string): void {
  if (!existsSync(source)) throw new Error(`${at} copies ${source}, which is not there.`);
  const isFile = !execFileSync('stat', ['-c', '%F', source], { encoding: 'utf8' }).startsWith('directory');
  const to = isFile && isFolder ? join(target, source.split('/').at(-1) ?? '') : target;
  mkdirSync(isFile ? dirname(to) : to, { recursive: true });
  // Node's own copying takes five times as long for a folder of modules.
  execFileSync('cp', ['-a', isFile ? source : `${source}/.`, to]);
}

/** What Docker would be sent: what git knows, less what .dockerignore names. */
function copyContext(target: string): void {
  const patterns = ignoredByDocker();
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  for (const file of files.split('\n')) {
    if (file === '' || !existsSync(join(repository, file)) || patterns.some((pattern) => pattern.test(file))) continue;
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(repository, file), join(target, file));
  }
}

export function ignoredByDocker(): RegExp[] {
  return readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((pattern) => {
      const parts = pattern
        .split('/')
        .map((part) => (part === '**' ? '**' : part.replaceAll('.', '\\.').replaceAll('*', '[^/]*')));
      return new RegExp(`^${parts.join('/').replace('**/', '(?:.*/)?')}(?:/|$)`);
    });
}
