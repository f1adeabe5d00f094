import { existsSync, readdirSync, writeFileSync } from 'node:fs';

/**
 * A clock of its own for one process, which can be stepped while it runs, as when somebody sets the machine's clock: the
 * library libfaketime, loaded before all others, adds what stands in a file. Time-outs and pauses go by the monotonic clock,
 * which no step touches.
 */
export interface Clock {
  /** For the process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly offsetSeconds: number;
  /** Away from the machine's clock; the process sees it within a second. */
  step(offsetSeconds: number): void;
}

export const noClockAdvice = 'libfaketime is not installed (Debian and Ubuntu, as root: apt-get install libfaketime)';

function findLibrary(): string | undefined {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime`) : [];
  return [...folders, '/usr/lib/faketime', '/usr/lib64/faketime', '/usr/local/lib/faketime']
    .map((folder) => `${folder}/libfaketime.so.1`)
    .find((file) => existsSync(file));
}

/** Undefined = libfaketime is not there. `file` is read by whatever account the process has. */
export function makeClock(file: string): Clock | undefined {
  const library = findLibrary();
  if (library === undefined) return undefined;
  let offset = 0;
  const write = () => writeFileSync(file, `${offset < 0 ? '' : '+'}${offset}\n`, { mode: 0o644 });
  write();
  return {
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: '1',
      // Files keep the times that the disk gives them.
      NO_FAKE_STAT: '1',
    },
    get offsetSeconds() {
      return offset;
    },
    step(offsetSeconds) {
      offset = offsetSeconds;
      write();
    },
  };
}
