import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gmtime, localtime, strflocaltime, strftime, strptime, timegm } from './index.ts';

const ISO = '%Y-%m-%dT%H:%M:%SZ';

describe('gmtime and timegm', () => {
  test.each([
    [0, [1970, 0, 1, 0, 0, 0, 4, 0]],
    [1425599507, [2015, 2, 5, 23, 51, 47, 4, 63]],
    [1720000000.75, [2024, 6, 3, 9, 46, 40.75, 3, 184]],
    [-1.5, [1969, 11, 31, 23, 59, 59.5, 3, 364]],
    [-62135596800, [1, 0, 1, 0, 0, 0, 1, 0]],
    [951782400, [2000, 1, 29, 0, 0, 0, 2, 59]],
  ])('gmtime(%d)', (seconds, expected) => {
    expect(gmtime(seconds)).toEqual(expected);
  });

  test('a year beyond 32 bits is refused', () => {
    expect(() => gmtime(1e18)).toThrow('error converting number of seconds since epoch to datetime');
    expect(() => gmtime(Number.NaN)).toThrow('error converting');
  });

  test('timegm normalises and fills in', () => {
    expect(timegm([2024, 8, 21])).toBe(1726876800);
    expect(timegm([2024, 13, 35, 25, 61, 61.9])).toBe(timegm([2025, 2, 8, 2, 2, 1]));
    expect(() => timegm(['a', 1])).toThrow('mktime requires parsed datetime inputs');
    expect(() => timegm([1969, 11, 31, 23, 59, 59])).toThrow('invalid gmtime representation');
  });

  test('timegm undoes gmtime, and Date agrees', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 }), (seconds) => {
        fc.pre(seconds !== -1);
        const time = gmtime(seconds);
        expect(timegm(time)).toBe(seconds);
        const date = new Date(seconds * 1000);
        expect([time[0], time[1], time[2], time[6]]).toEqual([
          date.getUTCFullYear(),
          date.getUTCMonth(),
          date.getUTCDate(),
          date.getUTCDay(),
        ]);
      }),
    );
  });
});

describe('strftime', () => {
  const moment = gmtime(1720000000);
  test.each([
    ['%a %A %b %B %h', 'Wed Wednesday Jul July Jul'],
    ['%c', 'Wed Jul  3 09:46:40 2024'],
    ['%C %d %e %y %Y %G %g', '20 03  3 24 2024 2024 24'],
    ['%D %F %x', '07/03/24 2024-07-03 07/03/24'],
    ['%H %I %k %l %M %S %p %P', '09 09  9  9 46 40 AM am'],
    ['%R %T %X %r', '09:46 09:46:40 09:46:40 09:46:40 AM'],
    ['%j %U %V %W %u %w', '185 26 27 27 3 3'],
    ['%s %z %Z %%%n%t', '1720000000 +0000 UTC %\n\t'],
    ['%-d %_d %^a %#p %010Y %5d %-5d', '3  3 WED am 0000002024 00003     3'],
    ['%Ey %Od %E %+ %q %', '24 03 %E %+ %q %'],
    ['', ''],
    ['ünï %Y', 'ünï 2024'],
  ])('%j', (format, expected) => {
    expect(strftime(moment, format)).toBe(expected);
  });

  test('fields are normalised before they are written', () => {
    expect(strftime([2024, 2, 15], ISO)).toBe('2024-03-15T00:00:00Z');
    expect(strftime([2024, 12, 32], '%F %a')).toBe('2025-02-01 Sat');
    expect(strftime([2021, 0, 3], '%G-W%V')).toBe('2020-W53');
  });

  test('what cannot be formatted', () => {
    expect(() => strftime(['x'], '%Y')).toThrow('strftime/1 requires parsed datetime inputs');
    expect(() => strflocaltime(['x'], '%Y')).toThrow('strflocaltime/1 requires parsed datetime inputs');
    expect(() => strftime([2024], '%999999d')).toThrow('strftime/1: unknown system failure');
    expect(() => strftime([2024], '%c'.repeat(100_000))).toThrow('strftime/1: unknown system failure');
  });

  test('local time is UTC unless a zone is named', () => {
    expect(strflocaltime(localtime(1731627341), '%F %T %z %Z')).toBe('2024-11-14 23:35:41 +0000 UTC');
    const paris = 'Europe/Paris';
    expect(strflocaltime(localtime(1731627341, paris), '%F %T %z', paris)).toBe('2024-11-15 00:35:41 +0100');
    expect(strflocaltime(localtime(1750500000, paris), '%F %T %z %s', paris)).toBe(
      '2025-06-21 12:00:00 +0200 1750500000',
    );
    expect(() => localtime(0, 'Nowhere/City')).toThrow('unknown time zone "Nowhere/City"');
  });
});

describe('strptime', () => {
  test.each<[string, string, (number | string)[]]>([
    ['2015-03-05T23:51:47Z', ISO, [2015, 2, 5, 23, 51, 47, 4, 63]],
    ['2025-06-07T08:09:10', '%FT%T', [2025, 5, 7, 8, 9, 10, 6, 157]],
    ['2015-03-05T23:51:47Z rest', ISO, [2015, 2, 5, 23, 51, 47, 4, 63, ' rest']],
    ['10:20', '%H:%M', [1900, 0, 0, 10, 20, 0, 8, 367]],
    ['Thu, 05 Mar 2015 23:51:47 +0100', '%a, %d %b %Y %H:%M:%S %z', [2015, 2, 5, 23, 51, 47, 4, 63]],
    ['2015-03-05T23:51:47+01:30', '%Y-%m-%dT%H:%M:%S%z', [2015, 2, 5, 23, 51, 47, 4, 63]],
    ['2015-03-05T23:51:47Z', '%Y-%m-%dT%H:%M:%S%Z', [2015, 2, 5, 23, 51, 47, 4, 63]],
    ['1425599507', '%s', [2015, 2, 5, 23, 51, 47, 4, 63]],
    ['2015 064', '%Y %j', [2015, 2, 5, 0, 0, 0, 4, 63]],
    ['15', '%y', [2015, 0, 0, 0, 0, 0, 3, -1]],
    ['12 AM', '%I %p', [1900, 0, 0, 0, 0, 0, 8, 367]],
    ['1 pm', '%I %p', [1900, 0, 0, 13, 0, 0, 8, 367]],
    ['2024-1-2', '%Y-%m-%d', [2024, 0, 2, 0, 0, 0, 2, 1]],
    ['2024 30 1', '%Y %U %w', [2024, 6, 29, 0, 0, 0, 1, 210]],
    ['5%', '%d%%', [1900, 0, 5, 0, 0, 0, 5, 4]],
  ])('%j %j', (text, format, expected) => {
    expect(strptime(text, format)).toEqual(expected);
  });

  test.each([
    ['7x', '%d'],
    ['62', '%S'],
    ['00', '%m'],
    ['', '%Y'],
    ['x', ''],
    ['Marx', '%B 2'],
    ['2024', '%Q'],
  ])('%j does not match %j', (text, format) => {
    expect(() => strptime(text, format)).toThrow(`date "${text}" does not match format "${format}"`);
  });

  test('strptime undoes strftime', () => {
    fc.assert(
      fc.property(fc.integer({ min: -60_000_000_000, max: 250_000_000_000 }), (seconds) => {
        const time = gmtime(seconds);
        fc.pre(time[0] >= 1000);
        expect(strptime(strftime(time, ISO), ISO)).toEqual(time);
        expect(strptime(strftime(time, '%c'), '%c')).toEqual(time);
      }),
    );
  });
});
