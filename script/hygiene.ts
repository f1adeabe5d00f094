import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Rules about the repository itself: the lock file belongs to the manifests, versions are exact, and nothing tracked
 * names a machine's paths or a package registry (a mirror's host must not leak into a commit, and a lock file with hosts
 * would tie every clone to one registry).
 */
export interface TrackedFile {
  path: string;
  text: string;
}

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}
interface Lock {
  packages: Record<string, Manifest & { resolved?: string; link?: boolean }>;
}

// Written in pieces, so that this file does not break its own rule.
const registryHost = new RegExp(
  ['registry\\.npm', 'js\\.org|registry\\.yarn', 'pkg\\.com|/artifactory', '/|/api/npm', '/|_auth', 'Token'].join(''),
  'i',
);
const machinePath = new RegExp(['/(work|root|Users|home/[a-z]+)', '/(?=[\\w.-])'].join(''));
/** What a shell or a program in a container writes is not a path of somebody's machine. */
const allowedPaths = /\/home\/(?:node|user|quayside)\//;

export function findings(files: readonly TrackedFile[]): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    for (const [index, line] of text.split('\n').entries()) {
      const at = `${path}:${index + 1}`;
      if (registryHost.test(line)) {
        found.push(
          `${at} names a package registry or its token. Leave the host out; npm is configured outside the repository.`,
        );
      }
      if (machinePath.test(line) && !allowedPaths.test(line)) {
        found.push(`${at} names a path of one machine. Make it relative to the repository, or a temporary folder.`);
      }
    }
  }
  return [...found, ...lockFindings(files)];
}

function lockFindings(files: readonly TrackedFile[]): string[] {
  const text = files.find((file) => file.path === 'package-lock.json')?.text;
  if (text === undefined) return ['package-lock.json is missing. Restore it from git.'];
  const lock = JSON.parse(text) as Lock;
  const found: string[] = [];
  for (const file of files) {
    if (!/(^|\/)package\.json$/.test(file.path)) continue;
    const folder = file.path === 'package.json' ? '' : file.path.slice(0, -'/package.json'.length);
    const manifest = JSON.parse(file.text) as Manifest;
    const locked = lock.packages[folder];
    for (const kind of ['dependencies', 'devDependencies'] as const) {
      const wanted = manifest[kind] ?? {};
      for (const [name, version] of Object.entries(wanted)) {
        if (!/^\d+\.\d+\.\d+/.test(version)) {
          found.push(`${file.path} asks for ${name}@${version}. Pin an exact version.`);
        }
      }
      if (!sameEntries(wanted, locked?.[kind] ?? {})) {
        found.push(
          `package-lock.json does not match the ${kind} of ${file.path}. Run: npm install --package-lock-only`,
        );
      }
    }
  }
  for (const [name, entry] of Object.entries(lock.packages)) {
    if (entry.resolved !== undefined && !entry.link) {
      found.push(
        `package-lock.json says where ${name} was fetched from. Keep omit-lockfile-registry-resolved in .npmrc.`,
      );
    }
  }
  return found;
}

function sameEntries(a: Record<string, string>, b: Record<string, string>): boolean {
  const sorted = (entries: Record<string, string>) => JSON.stringify(Object.entries(entries).sort());
  return sorted(a) === sorted(b);
}

function trackedFiles(): TrackedFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  const files: TrackedFile[] = [];
  for (const path of listed.split('\0')) {
    if (path === '') continue;
    const bytes = readIfPresent(path);
    // A NUL byte means a picture or another binary.
    if (bytes && !bytes.includes(0)) files.push({ path, text: bytes.toString('utf8') });
  }
  return files;
}

/** A file deleted in the work tree is still listed by git until the deletion is staged. */
function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const found = findings(trackedFiles());
  for (const line of found) process.stdout.write(`${line}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
