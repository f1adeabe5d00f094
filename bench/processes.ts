import { readdirSync, readFileSync } from 'node:fs';

/** User and system time of the process and all below it. */
export function processorMs(root: number): number {
  // Clock ticks are 1/100 s on Linux.
  return tree(root).reduce((sum, id) => sum + ticksOf(id) * 10, 0);
}

function ticksOf(id: number): number {
  const fields = statOf(id);
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** The fields of /proc/<id>/stat after the name, which may hold spaces; the first is the state, the second the parent. */
function statOf(id: number): string[] {
  try {
    return readFileSync(`/proc/${id}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}

export function tree(root: number): number[] {
  const ids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(ids.map((id) => [id, Number(statOf(id)[1])]));
  const found = [root];
  for (const parent of found) for (const [id, its] of parents) if (its === parent) found.push(id);
  return found;
}

/** Proportional set size, because PostgreSQL's processes share most of their memory. */
export function memoryMb(ids: readonly number[]): number {
  return ids.reduce((sum, id) => {
    try {
      return sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
    } catch {
      return sum;
    }
  }, 0);
}
