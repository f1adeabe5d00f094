/**
 * jq's broken-down time: [year, month 0–11, day, hours, minutes, seconds with fraction, day of week 0 = Sunday, day of
 * year 0–365], always UTC here. Arithmetic is done on doubles, not on Date, because jq's range is that of a 64-bit
 * time_t with a 32-bit year (Date stops at ±8.64e15 ms).
 */
export type BrokenDown = [number, number, number, number, number, number, number, number];

export class DateError extends Error {
  override readonly name = 'DateError';
}

const INT_MIN = -2_147_483_648;
const INT_MAX = 2_147_483_647;
const DAY = 86_400;

export const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const modulo = (value: number, base: number): number => value - Math.floor(value / base) * base;

/** Days since 1970-01-01 of a day in the proleptic Gregorian calendar; `month` 0–11, `day` any integer. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // Years that begin in March make the leap day the last one (H. Hinnant, "chrono-compatible low-level date algorithms").
  const shifted = month < 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 10) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): [number, number, number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = (shiftedMonth + 2) % 12;
  return [yearOfEra + era * 400 + (month < 2 ? 1 : 0), month, day];
}

function fromWholeSeconds(seconds: number): BrokenDown {
  const days = Math.floor(seconds / DAY);
  const rest = seconds - days * DAY;
  const [year, month, day] = civilFromDays(days);
  const yearDay = days - daysFromCivil(year, 0, 1);
  return [
    year,
    month,
    day,
    Math.floor(rest / 3600),
    Math.floor(rest / 60) % 60,
    rest % 60,
    modulo(days + 4, 7),
    yearDay,
  ];
}

/**
 * Seconds since the epoch to broken-down time. The fraction is kept in the seconds as jq 1.8 does it: whole seconds are
 * cut toward zero, then `value - floor(value)` is added, so -1.5 gives second 59.5. Throws DateError when the year does
 * not fit 32 bits.
 */
export function gmtime(seconds: number): BrokenDown {
  const whole = Math.trunc(seconds);
  const result = fromWholeSeconds(whole);
  if (!Number.isFinite(seconds) || result[0] > INT_MAX + 1900 || result[0] < INT_MIN + 1900) {
    throw new DateError('error converting number of seconds since epoch to datetime');
  }
  result[5] += seconds - Math.floor(seconds);
  return result;
}

/**
 * The eight integers of a struct tm from what a user handed in: missing ones are 0, fractions are cut, days of week and
 * year are not trusted. Undefined when an element is not a number.
 */
export function readBrokenDown(values: readonly unknown[]): BrokenDown | undefined {
  const result: BrokenDown = [1900, 0, 0, 0, 0, 0, 0, 0];
  for (let index = 0; index < Math.min(values.length, 8); index++) {
    const value = values[index];
    if (typeof value !== 'number' || Number.isNaN(value)) return undefined;
    const base = index === 0 ? 1900 : 0;
    result[index] = Math.trunc(Math.min(Math.max(value - base, INT_MIN), INT_MAX)) + base;
  }
  return result;
}

/** Seconds since the epoch of integers that may be out of range (month 13, second 61), as timegm(3) adds them up. */
export function secondsOf(time: BrokenDown): number {
  const [year, month, day, hours, minutes, seconds] = time;
  const days = daysFromCivil(year + Math.floor(month / 12), modulo(month, 12), 1) + day - 1;
  return days * DAY + hours * 3600 + minutes * 60 + Math.trunc(seconds);
}

export const normalized = (time: BrokenDown): BrokenDown => fromWholeSeconds(secondsOf(time));

/**
 * `mktime`: broken-down UTC time to whole seconds. Throws DateError in jq's words, also for the one valid second
 * (-1) that C's timegm cannot tell from a failure.
 */
export function timegm(values: readonly unknown[]): number {
  const time = readBrokenDown(values);
  if (time === undefined) throw new DateError('mktime requires parsed datetime inputs');
  const seconds = secondsOf(time);
  if (seconds === -1) throw new DateError('invalid gmtime representation');
  return seconds;
}
