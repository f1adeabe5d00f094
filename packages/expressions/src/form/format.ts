import { LineCounter, parseDocument } from 'yaml';

/** Undefined = the value has the format, or the format says nothing about values of its type. */
export function formatMistake(format: unknown, value: unknown): string | undefined {
  if (format === 'labeled-url') return labeledUrlMistake(value);
  if (typeof value !== 'string' || typeof format !== 'string') return undefined;
  if (format === 'yaml') return yamlMistake(value);
  const rule = Object.hasOwn(rules, format) ? rules[format] : undefined;
  return rule === undefined || rule.isRight(value) ? undefined : rule.message;
}

const instant = /^\d{4}-(\d\d)-(\d\d)[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)$/;
const email = /^[^\s@<>()[\],;:"]{1,64}@[^\s@.<>()[\],;:"]+(?:\.[^\s@.<>()[\],;:"]+)+$/u;
const asciiEmail = /^[\x21-\x7e]+$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

function isInstant(text: string): boolean {
  const [, month, day] = instant.exec(text) ?? [];
  if (month === undefined || Number.isNaN(Date.parse(text.replace(' ', 'T')))) return false;
  // 31 April is read as 1 May by `Date`.
  const last = new Date(Date.UTC(Number(text.slice(0, 4)), Number(month), 0)).getUTCDate();
  return Number(day) >= 1 && Number(day) <= last;
}

const rules: Readonly<Record<string, { isRight: (text: string) => boolean; message: string }>> = {
  'date-time': { isRight: isInstant, message: 'must be a date and time with a zone, like 2026-11-21T08:30:00Z' },
  timer: { isRight: isInstant, message: 'must be a date and time with a zone, like 2026-11-21T08:30:00Z' },
  url: { isRight: (text) => URL.canParse(text), message: 'must be a full URL, like https://example.com' },
  email: {
    isRight: (text) => asciiEmail.test(text) && email.test(text),
    message: 'must be an e-mail address, like ana@example.com',
  },
  'idn-email': { isRight: (text) => email.test(text), message: 'must be an e-mail address, like ana@example.com' },
  ipv4: { isRight: (text) => ipv4.test(text), message: 'must be an IPv4 address, like 10.0.0.1' },
  ipv6: {
    isRight: (text) => /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]/`),
    message: 'must be an IPv6 address, like 2001:db8::1',
  },
};

function labeledUrlMistake(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { url, displayText } = value as { url?: unknown; displayText?: unknown };
  if (url === undefined || url === '') return 'needs a URL';
  if (typeof url !== 'string' || !URL.canParse(url)) return 'needs a full URL, like https://example.com';
  return displayText === undefined || typeof displayText === 'string' ? undefined : 'needs a text as its display text';
}

/** Parsed only: aliases are not followed, so a small text can not grow. */
function yamlMistake(text: string): string | undefined {
  const lines = new LineCounter();
  const [first] = parseDocument(text, { lineCounter: lines, prettyErrors: false }).errors;
  if (!first) return undefined;
  const { line, col } = lines.linePos(first.pos[0]);
  return `is not valid YAML: line ${line}, column ${col}: ${first.message}`;
}
