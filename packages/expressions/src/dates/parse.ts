import { DateError, daysFromCivil, gmtime, isLeap } from './calendar.ts';
import { DAYS, MONTHS, SHORTHAND } from './format.ts';

/** What has been read so far; names as in struct tm. The sentinels 8 and 367 are jq's "not set". */
interface Fields {
  year: number;
  month: number;
  day: number;
  hours: number;
  minutes: number;
  seconds: number;
  weekDay: number;
  yearDay: number;
  century: number | undefined;
  has: Set<
    'month' | 'day' | 'weekDay' | 'yearDay' | 'hour12' | 'pm' | 'date' | 'shortYear' | 'sundayWeek' | 'mondayWeek'
  >;
  week: number;
}

const MONTH_STARTS = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const monthStart = (year: number, month: number): number =>
  (MONTH_STARTS[month] ?? 365) + (month > 1 && isLeap(year) ? 1 : 0);

class Mismatch extends Error {}

class Scanner {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }
  skipSpace(): void {
    while (this.at < this.text.length && ' \t\n\v\f\r'.includes(this.text[this.at] ?? '')) this.at++;
  }
  expect(char: string): void {
    if (this.text[this.at] !== char) throw new Mismatch();
    this.at++;
  }
  /** Reads like glibc's get_number: leading blanks, then digits while one more could still be in range. */
  integer(from: number, to: number, digits: number): number {
    while (this.text[this.at] === ' ') this.at++;
    let value = 0;
    let count = 0;
    while (count < digits && /[0-9]/.test(this.text[this.at] ?? '') && (count === 0 || value * 10 <= to)) {
      value = value * 10 + Number(this.text[this.at]);
      this.at++;
      count++;
    }
    if (count === 0 || value < from || value > to) throw new Mismatch();
    return value;
  }
  /** Index of the longest name that stands here, in any case. */
  name(names: readonly string[]): number {
    const rest = this.text.slice(this.at, this.at + 12).toLowerCase();
    for (const length of [12, 3]) {
      const index = names.findIndex((name) => rest.startsWith(name.slice(0, length).toLowerCase()));
      if (index >= 0) {
        this.at += Math.min(length, names[index]?.length ?? 0);
        return index;
      }
    }
    throw new Mismatch();
  }
}

function zone(scanner: Scanner): void {
  scanner.skipSpace();
  if (scanner.text[scanner.at] === 'Z') {
    scanner.at++;
    return;
  }
  const match = /^[+-](\d{2})(?::?(\d{2}))?/.exec(scanner.text.slice(scanner.at, scanner.at + 6));
  if (match === null || Number(match[1]) > 14 || Number(match[2] ?? 0) > 59) throw new Mismatch();
  scanner.at += match[0].length;
}

function readEpoch(scanner: Scanner, fields: Fields): void {
  const match = /^\d{1,15}/.exec(scanner.text.slice(scanner.at, scanner.at + 15));
  if (match === null) throw new Mismatch();
  scanner.at += match[0].length;
  const [year, month, day, hours, minutes, seconds, weekDay, yearDay] = gmtime(Number(match[0]));
  Object.assign(fields, { year, month, day, hours, minutes, seconds, weekDay, yearDay });
}

function readDirective(directive: string, scanner: Scanner, fields: Fields): void {
  const { has } = fields;
  switch (directive) {
    case '%':
      scanner.expect('%');
      return;
    case 'n':
    case 't':
      scanner.skipSpace();
      return;
    case 'a':
    case 'A':
      fields.weekDay = scanner.name(DAYS);
      has.add('weekDay');
      return;
    case 'b':
    case 'B':
    case 'h':
      fields.month = scanner.name(MONTHS);
      has.add('month').add('date');
      return;
    case 'C':
      fields.century = scanner.integer(0, 99, 2);
      has.add('date');
      return;
    case 'd':
    case 'e':
      fields.day = scanner.integer(1, 31, 2);
      has.add('day').add('date');
      return;
    case 'H':
    case 'k':
      fields.hours = scanner.integer(0, 23, 2);
      has.delete('hour12');
      return;
    case 'I':
    case 'l':
      fields.hours = scanner.integer(1, 12, 2) % 12;
      has.add('hour12');
      return;
    case 'j':
      fields.yearDay = scanner.integer(1, 366, 3) - 1;
      has.add('yearDay');
      return;
    case 'm':
      fields.month = scanner.integer(1, 12, 2) - 1;
      has.add('month').add('date');
      return;
    case 'M':
      fields.minutes = scanner.integer(0, 59, 2);
      return;
    case 'p':
    case 'P':
      if (scanner.name(['AM', 'PM']) === 1) has.add('pm');
      else has.delete('pm');
      return;
    case 's':
      readEpoch(scanner, fields);
      return;
    case 'S':
      fields.seconds = scanner.integer(0, 61, 2);
      return;
    case 'u':
      fields.weekDay = scanner.integer(1, 7, 1) % 7;
      has.add('weekDay');
      return;
    case 'w':
      fields.weekDay = scanner.integer(0, 6, 1);
      has.add('weekDay');
      return;
    case 'U':
    case 'W':
      fields.week = scanner.integer(0, 53, 2);
      has.add(directive === 'U' ? 'sundayWeek' : 'mondayWeek');
      return;
    case 'g':
      scanner.integer(0, 99, 2);
      return;
    case 'G':
      scanner.integer(0, 9999, 4);
      return;
    case 'V':
      scanner.integer(0, 53, 2);
      return;
    case 'y': {
      const short = scanner.integer(0, 99, 2);
      fields.year = short >= 69 ? 1900 + short : 2000 + short;
      has.add('date').add('shortYear');
      return;
    }
    case 'Y':
      fields.year = scanner.integer(0, 9999, 4);
      fields.century = undefined;
      has.add('date').delete('shortYear');
      return;
    case 'z':
      zone(scanner);
      return;
    case 'Z':
      while (scanner.at < scanner.text.length && !/\s/.test(scanner.text[scanner.at] ?? '')) scanner.at++;
      return;
    default:
      throw new Mismatch();
  }
}

function readAll(format: string, scanner: Scanner, fields: Fields): void {
  for (let index = 0; index < format.length; index++) {
    const char = format[index] ?? '';
    if (/\s/.test(char)) {
      scanner.skipSpace();
      continue;
    }
    if (char !== '%') {
      scanner.expect(char);
      continue;
    }
    index++;
    while ('_-0^#EO'.includes(format[index] ?? '?') && index < format.length) index++;
    const directive = format[index] ?? '';
    const shorthand = Object.hasOwn(SHORTHAND, directive) ? SHORTHAND[directive] : undefined;
    if (shorthand !== undefined) readAll(shorthand, scanner, fields);
    else readDirective(directive, scanner, fields);
  }
}

/** Fills what follows from the rest, in glibc's order, then what jq adds for a day that was never named. */
function complete(fields: Fields): void {
  const { has } = fields;
  if (has.has('hour12') && has.has('pm')) fields.hours += 12;
  if (fields.century !== undefined) {
    fields.year = fields.century * 100 + (has.has('shortYear') ? fields.year % 100 : 0);
  }
  const weekDayOf = (): number => (((daysFromCivil(fields.year, fields.month, fields.day) + 4) % 7) + 7) % 7;
  const yearDayOf = (): number => monthStart(fields.year, fields.month) + fields.day - 1;
  if (has.has('date') && !has.has('weekDay')) {
    if (!(has.has('month') && has.has('day')) && has.has('yearDay')) {
      let month = 0;
      while (month < 12 && monthStart(fields.year, month) <= fields.yearDay) month++;
      if (!has.has('month')) fields.month = month - 1;
      if (!has.has('day')) fields.day = fields.yearDay - monthStart(fields.year, month - 1) + 1;
      has.add('month').add('day');
    }
    fields.weekDay = weekDayOf();
  }
  if (has.has('date') && !has.has('yearDay')) fields.yearDay = yearDayOf();
  if ((has.has('sundayWeek') || has.has('mondayWeek')) && has.has('weekDay')) dayFromWeek(fields);
  if (fields.weekDay === 8 && fields.day !== 0) fields.weekDay = weekDayOf();
  if (fields.yearDay === 367 && fields.day !== 0) fields.yearDay = yearDayOf();
}

function dayFromWeek(fields: Fields): void {
  const { has } = fields;
  const first = (((daysFromCivil(fields.year, 0, 1) + 4) % 7) + 7) % 7;
  const shift = has.has('sundayWeek') ? 0 : 1;
  if (!has.has('yearDay')) {
    fields.yearDay = ((7 - (first - shift)) % 7) + (fields.week - 1) * 7 + ((fields.weekDay - shift + 7) % 7);
  }
  if (has.has('month') && has.has('day')) return;
  let month = 0;
  while (month < 12 && monthStart(fields.year, month) <= fields.yearDay) month++;
  if (!has.has('month')) fields.month = month - 1;
  if (!has.has('day')) fields.day = fields.yearDay - monthStart(fields.year, month - 1) + 1;
}

/**
 * `strptime` in the C locale, as glibc reads. Answers broken-down time; when white space and more text follow what the
 * format took, that rest is appended as a ninth element, as jq does. A zone (`%z`, `%Z`) is read and ignored. Throws
 * DateError when the text does not match.
 */
export function strptime(text: string, format: string): (number | string)[] {
  const scanner = new Scanner(text);
  const fields: Fields = {
    year: 1900,
    month: 0,
    day: 0,
    hours: 0,
    minutes: 0,
    seconds: 0,
    weekDay: 8,
    yearDay: 367,
    century: undefined,
    has: new Set(),
    week: 0,
  };
  try {
    readAll(format, scanner, fields);
    const next = scanner.text[scanner.at];
    if (next !== undefined && !' \t\n\v\f\r'.includes(next)) throw new Mismatch();
  } catch (error) {
    if (error instanceof Mismatch) throw new DateError(`date "${text}" does not match format "${format}"`);
    throw error;
  }
  complete(fields);
  const { year, month, day, hours, minutes, seconds, weekDay, yearDay } = fields;
  const result: (number | string)[] = [year, month, day, hours, minutes, seconds, weekDay, yearDay];
  if (scanner.at < text.length) result.push(text.slice(scanner.at));
  return result;
}
