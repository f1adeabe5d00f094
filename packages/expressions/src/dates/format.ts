import { type BrokenDown, DateError, daysFromCivil, normalized, readBrokenDown, secondsOf } from './calendar.ts';
import { type Offset, offsetOfLocal } from './zone.ts';

export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** glibc's shorthand directives in the C locale. */
export const SHORTHAND: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

/** jq hands strftime a buffer; a longer result is a failure. It also bounds `%999999d`. */
const MAX_OUTPUT = 4096;

function isoWeek(time: BrokenDown): { year: number; week: number } {
  const [year, , , , , , weekDay, yearDay] = time;
  const thursday = yearDay - ((weekDay + 6) % 7) + 3;
  const daysIn = (of: number): number => daysFromCivil(of + 1, 0, 1) - daysFromCivil(of, 0, 1);
  if (thursday < 0) return { year: year - 1, week: Math.floor((thursday + daysIn(year - 1)) / 7) + 1 };
  if (thursday >= daysIn(year)) return { year: year + 1, week: 1 };
  return { year, week: Math.floor(thursday / 7) + 1 };
}

type Field = { value: number; width: number; pad: '0' | ' ' } | { text: string; lower?: boolean };

const number = (value: number, width: number, pad: '0' | ' ' = '0'): Field => ({ value, width, pad });

function zoneText(seconds: number): string {
  const minutes = Math.trunc(Math.abs(seconds) / 60);
  const pair = (value: number): string => String(value).padStart(2, '0');
  return `${seconds < 0 ? '-' : '+'}${pair(Math.floor(minutes / 60))}${pair(minutes % 60)}`;
}

function fieldOf(directive: string, time: BrokenDown, offset: Offset): Field | undefined {
  const [year, month, day, hours, minutes, seconds, weekDay, yearDay] = time;
  switch (directive) {
    case 'a':
      return { text: DAYS[weekDay]?.slice(0, 3) ?? '?' };
    case 'A':
      return { text: DAYS[weekDay] ?? '?' };
    case 'b':
    case 'h':
      return { text: MONTHS[month]?.slice(0, 3) ?? '?' };
    case 'B':
      return { text: MONTHS[month] ?? '?' };
    case 'C':
      return number(Math.floor(year / 100), 2);
    case 'd':
      return number(day, 2);
    case 'e':
      return number(day, 2, ' ');
    case 'g':
      return number(((isoWeek(time).year % 100) + 100) % 100, 2);
    case 'G':
      return number(isoWeek(time).year, 1);
    case 'H':
      return number(hours, 2);
    case 'I':
      return number(hours % 12 === 0 ? 12 : hours % 12, 2);
    case 'j':
      return number(yearDay + 1, 3);
    case 'k':
      return number(hours, 2, ' ');
    case 'l':
      return number(hours % 12 === 0 ? 12 : hours % 12, 2, ' ');
    case 'm':
      return number(month + 1, 2);
    case 'M':
      return number(minutes, 2);
    case 'n':
      return { text: '\n' };
    case 'p':
      return { text: hours < 12 ? 'AM' : 'PM' };
    case 'P':
      return { text: hours < 12 ? 'am' : 'pm' };
    case 's':
      return number(secondsOf(time) - offset.seconds, 1);
    case 'S':
      return number(Math.trunc(seconds), 2);
    case 't':
      return { text: '\t' };
    case 'u':
      return number(weekDay === 0 ? 7 : weekDay, 1);
    case 'U':
      return number(Math.floor((yearDay + 7 - weekDay) / 7), 2);
    case 'V':
      return number(isoWeek(time).week, 2);
    case 'w':
      return number(weekDay, 1);
    case 'W':
      return number(Math.floor((yearDay + 7 - ((weekDay + 6) % 7)) / 7), 2);
    case 'y':
      return number(((year % 100) + 100) % 100, 2);
    case 'Y':
      return number(year, 1);
    case 'z':
      return { text: zoneText(offset.seconds) };
    case 'Z':
      return { text: offset.abbreviation };
    case '%':
      return { text: '%' };
    default:
      return undefined;
  }
}

/** Flags as in glibc: `_` pads with blanks, `-` does not pad, `0` pads with zeros, `^` upper case, `#` other case. */
function padded(field: Field, flags: string, width: number): string {
  const last = [...flags].filter((flag) => '_-0'.includes(flag)).at(-1);
  if ('text' in field) {
    const swapped = flags.includes('#') && /^[AP]M$/.test(field.text) ? field.text.toLowerCase() : field.text;
    const upper = flags.includes('^') || (flags.includes('#') && swapped === field.text);
    return (upper ? swapped.toUpperCase() : swapped).padStart(width, last === '0' ? '0' : ' ');
  }
  const sign = field.value < 0 ? '-' : '';
  const digits = String(Math.abs(field.value));
  if (last === '-') return (sign + digits).padStart(width, ' ');
  const pad = last === '_' ? ' ' : last === '0' ? '0' : field.pad;
  const wanted = Math.max(width, field.width);
  return pad === '0' ? sign + digits.padStart(wanted - sign.length, '0') : (sign + digits).padStart(wanted, ' ');
}

const DIRECTIVE = /%([_\-0^#]*)(\d*)([EO]?)([a-zA-Z%+]?)/y;

function formatted(time: BrokenDown, format: string, offset: Offset): string {
  let output = '';
  let at = 0;
  while (at < format.length) {
    const percent = format.indexOf('%', at);
    if (percent < 0) return output + format.slice(at);
    output += format.slice(at, percent);
    DIRECTIVE.lastIndex = percent;
    const match = DIRECTIVE.exec(format);
    const [whole = '%', flags = '', digits = '', , directive = ''] = match ?? [];
    const width = Number(digits);
    if (width > MAX_OUTPUT) throw new DateError('strftime/1: unknown system failure');
    const shorthand = Object.hasOwn(SHORTHAND, directive) ? SHORTHAND[directive] : undefined;
    const field =
      shorthand === undefined ? fieldOf(directive, time, offset) : { text: formatted(time, shorthand, offset) };
    output += field === undefined ? whole : padded(field, flags, width);
    if (output.length > MAX_OUTPUT + format.length) throw new DateError('strftime/1: unknown system failure');
    at = percent + whole.length;
  }
  return output;
}

/**
 * `strftime`: UTC, C locale, every directive of glibc with its flags and widths; an unknown directive stays as written.
 * Out-of-range fields are normalised first, day of week and year are recomputed, as jq 1.8 does. Throws DateError.
 */
export function strftime(values: readonly unknown[], format: string): string {
  const time = readBrokenDown(values);
  if (time === undefined) throw new DateError('strftime/1 requires parsed datetime inputs');
  return formatted(normalized(time), format, { seconds: 0, abbreviation: 'UTC' });
}

/** `strflocaltime`: the same for wall-clock time of an IANA zone. */
export function strflocaltime(values: readonly unknown[], format: string, zone = 'UTC'): string {
  const time = readBrokenDown(values);
  if (time === undefined) throw new DateError('strflocaltime/1 requires parsed datetime inputs');
  return formatted(normalized(time), format, offsetOfLocal(time, zone));
}
