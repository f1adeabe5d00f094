import { isNumber, toDouble, type Value } from '../json.ts';
import { stringify } from '../json-text.ts';
import { JqError } from './errors.ts';
import type { Machine } from './machine.ts';
import { decodeUtf8 } from './utf8.ts';
import { typeError } from './values.ts';

/** `@name`: turns a value into text for some other syntax. Browser and server alike: no Buffer. */
export function findFormat(name: string): ((machine: Machine, value: Value) => string) | null {
  return FORMATS.get(name) ?? null;
}

/** JSON text of a value, charged while it is written. */
export function jsonText(machine: Machine, value: Value): string {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'string') machine.step(value.length >> 4);
    const text = stringify(value);
    machine.allocateString(text.length);
    return text;
  }
  let charged = 0;
  let counted = 0;
  const charge = (length: number, values: number): void => {
    machine.allocate(length - charged);
    machine.step(values - counted + ((length - charged) >> 5));
    charged = length;
    counted = values;
  };
  const text = stringify(value, charge);
  charge(text.length, counted);
  return text;
}

export function textOf(machine: Machine, value: Value): string {
  return typeof value === 'string' ? value : jsonText(machine, value);
}

function escaped(
  machine: Machine,
  text: string,
  pattern: RegExp,
  replacements: Readonly<Record<string, string>>,
): string {
  machine.allocateString(text.length);
  const result = text.replace(pattern, (char) => replacements[char] ?? char);
  machine.allocateString(result.length - text.length);
  return result;
}

const HTML = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&apos;', '"': '&quot;' };
const TSV = { '\t': '\\t', '\r': '\\r', '\n': '\\n', '\\': '\\\\' };

function row(machine: Machine, value: Value, what: string, separator: string, cell: (text: string) => string): string {
  if (!Array.isArray(value)) throw typeError(value, `cannot be ${what}-formatted, only array`);
  let line = '';
  value.forEach((item, at) => {
    if (at > 0) line += separator;
    if (typeof item === 'string') line += cell(item);
    else if (isNumber(item)) line += Number.isNaN(toDouble(item)) ? '' : stringify(item);
    else if (typeof item === 'boolean') line += String(item);
    else if (item !== null) throw typeError(item, 'is not valid in a csv row');
    machine.step(1);
  });
  machine.allocateString(line.length);
  return line;
}

function shell(machine: Machine, value: Value): string {
  const items = Array.isArray(value) ? value : [value];
  machine.step(items.length);
  const words = items.map((item) => {
    if (typeof item === 'string') return `'${escaped(machine, item, /'/g, { "'": "'\\''" })}'`;
    if (typeof item === 'object' && item !== null && !isNumber(item)) {
      throw typeError(item, 'can not be escaped for shell');
    }
    return stringify(item);
  });
  const line = words.join(' ');
  machine.allocateString(line.length);
  return line;
}

function uri(machine: Machine, value: Value): string {
  const text = textOf(machine, value);
  machine.allocateString(3 * text.length);
  machine.step(text.length >> 3);
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function uriDecoded(machine: Machine, value: Value): string {
  const text = textOf(machine, value);
  machine.allocateString(text.length);
  machine.step(text.length >> 3);
  return text.replace(/(?:%[0-9a-fA-F]{2})+|%/g, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      throw typeError(text, 'is not a valid uri encoding');
    }
  });
}

const ASCII = /^[\0-\x7f]*$/;

function base64(machine: Machine, value: Value): string {
  const text = textOf(machine, value);
  machine.allocateString(2 * text.length);
  if (ASCII.test(text)) return btoa(text);
  machine.step(text.length);
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const BASE64_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64_VALUES = new Map([...BASE64_ALPHABET].map((char, at) => [char.charCodeAt(0), at]));
const BASE32_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base64Decoded(machine: Machine, value: Value): string {
  const text = textOf(machine, value);
  machine.allocateString(text.length);
  machine.step(text.length >> 4);
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  let digits = 0;
  for (let at = 0; at < text.length && text[at] !== '='; at++) {
    const digit = BASE64_VALUES.get(text.charCodeAt(at));
    if (digit === undefined) throw typeError(text, 'is not valid base64 data');
    digits++;
    held = ((held << 6) | digit) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  if (digits % 4 === 1) throw typeError(text, 'trailing base64 byte found');
  return decodeUtf8(bytes);
}

function base32(machine: Machine, value: Value): string {
  const text = textOf(machine, value);
  machine.allocateString(2 * text.length);
  machine.step(text.length >> 3);
  let out = '';
  let held = 0;
  let bits = 0;
  for (const byte of new TextEncoder().encode(text)) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32_ALPHABET[(held >> bits) & 31];
    }
  }
  if (bits > 0) out += BASE32_ALPHABET[(held << (5 - bits)) & 31];
  return out + '='.repeat((8 - (out.length % 8)) % 8);
}

function base32Decoded(machine: Machine, value: Value): string {
  const text = textOf(machine, value);
  machine.allocateString(text.length);
  machine.step(text.length >> 3);
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const char of text.replace(/=+$/, '')) {
    const digit = BASE32_ALPHABET.indexOf(char);
    if (digit < 0) throw typeError(text, 'is not valid base32 data');
    held = ((held << 5) | digit) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  return decodeUtf8(bytes);
}

const FORMATS: ReadonlyMap<string, (machine: Machine, value: Value) => string> = new Map([
  ['text', textOf],
  ['json', jsonText],
  [
    'csv',
    (machine: Machine, value: Value) => row(machine, value, 'csv', ',', (text) => `"${text.replaceAll('"', '""')}"`),
  ],
  [
    'tsv',
    (machine: Machine, value: Value) =>
      row(machine, value, 'tsv', '\t', (text) => text.replace(/[\t\r\n\\]/g, (char) => TSV[char as keyof typeof TSV])),
  ],
  ['html', (machine: Machine, value: Value) => escaped(machine, textOf(machine, value), /[&<>'"]/g, HTML)],
  ['uri', uri],
  ['urid', uriDecoded],
  ['sh', shell],
  ['base64', base64],
  ['base64d', base64Decoded],
  ['base32', base32],
  ['base32d', base32Decoded],
]);

/** `format("name")`. */
export function formatBy(machine: Machine, value: Value, name: Value): Value {
  if (typeof name !== 'string') throw typeError(name, 'is not a valid format');
  const format = findFormat(name);
  if (format === null) throw new JqError(`${name} is not a valid format`, 'format');
  return format(machine, value);
}
