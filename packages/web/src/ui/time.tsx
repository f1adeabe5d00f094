import type { ReactNode } from 'react';
import { useSyncExternalStore } from 'react';

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

export function formatInstant(instant: string): string {
  const time = new Date(instant);
  return Number.isNaN(time.getTime()) ? instant : absolute.format(time);
}

export function formatAgo(instant: string, now: number): string {
  const seconds = Math.round((new Date(instant).getTime() - now) / 1000);
  if (Number.isNaN(seconds)) return instant;
  if (Math.abs(seconds) < 5) return 'just now';
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.round(seconds / size), unit);
}

export function formatDuration(ms: number): string {
  if (ms < 0) return '0 s';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** One clock for the page: a hundred ages in a table share one timer. */
const listeners = new Set<() => void>();
let clock = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    clock = Date.now();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
function useNow(): number {
  return useSyncExternalStore(subscribe, () => clock);
}

export function Ago({ at }: { at: string }): ReactNode {
  const now = useNow();
  return (
    <time dateTime={at} title={formatInstant(at)}>
      {formatAgo(at, Math.max(now, Date.now()))}
    </time>
  );
}

/** What remains until an instant, then that it has come. */
export function formatCountdown(to: string, now: number): string {
  const left = Date.parse(to) - now;
  if (Number.isNaN(left)) return to;
  return left <= 0 ? `Expired ${formatAgo(to, now)}` : `${formatDuration(Math.ceil(left / 1000) * 1000)} left`;
}

export function Countdown({ to }: { to: string }): ReactNode {
  const now = useNow();
  return (
    <time dateTime={to} title={formatInstant(to)}>
      {formatCountdown(to, Math.max(now, Date.now()))}
    </time>
  );
}

export function Duration({ from, to }: { from: string; to: string | undefined }): ReactNode {
  return to ? formatDuration(Date.parse(to) - Date.parse(from)) : <LiveDuration from={from} />;
}

function LiveDuration({ from }: { from: string }): ReactNode {
  const now = useNow();
  return formatDuration(Math.max(0, Math.floor((now - Date.parse(from)) / 1000) * 1000));
}
