import { type BrokenDown, DateError, gmtime, secondsOf } from './calendar.ts';

/** What a place's clock says about a moment. */
export interface Offset {
  /** Seconds east of UTC. */
  seconds: number;
  abbreviation: string;
}

const UTC: Offset = { seconds: 0, abbreviation: 'UTC' };
const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 50;

function formatOf(zone: string): Intl.DateTimeFormat {
  const hit = formats.get(zone);
  if (hit !== undefined) return hit;
  const options = { hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' } as const;
  const time = { hour: 'numeric', minute: 'numeric', second: 'numeric', timeZoneName: 'short' } as const;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { ...options, ...time, timeZone: zone });
  } catch {
    throw new DateError(`unknown time zone "${zone}"`);
  }
  if (formats.size >= MAX_FORMATS) formats.clear();
  formats.set(zone, format);
  return format;
}

/** The offset of an IANA zone at a moment, from the host's own zone data. */
function offsetAt(zone: string, seconds: number): Offset {
  if (zone === 'UTC') return UTC;
  const whole = Math.floor(seconds);
  const parts = new Map<string, string>();
  // Beyond the range of Date there is no zone data; the nearest moment answers.
  const moment = Math.min(Math.max(whole, -8.64e12), 8.64e12);
  for (const part of formatOf(zone).formatToParts(moment * 1000)) parts.set(part.type, part.value);
  const field = (name: string): number => Number(parts.get(name) ?? 0);
  const era: BrokenDown = [
    field('year'),
    field('month') - 1,
    field('day'),
    field('hour'),
    field('minute'),
    field('second'),
    0,
    0,
  ];
  return { seconds: secondsOf(era) - moment, abbreviation: parts.get('timeZoneName') ?? zone };
}

/** Local wall-clock time of a moment. `zone` is an IANA name. */
export function localtime(seconds: number, zone = 'UTC'): BrokenDown {
  const fraction = seconds - Math.floor(seconds);
  const result = gmtime(Math.trunc(seconds) + offsetAt(zone, seconds).seconds);
  result[5] += fraction;
  return result;
}

/** The offset that holds when a place's clocks show `time`; in the hour that happens twice, the earlier one. */
export function offsetOfLocal(time: BrokenDown, zone: string): Offset {
  const wall = secondsOf(time);
  const guess = offsetAt(zone, wall);
  return offsetAt(zone, wall - guess.seconds);
}
