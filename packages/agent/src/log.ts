import { type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

export type Log = Logger;

/**
 * JSON lines on standard output. What a run carries (bodies, headers, inputs, answers) is never handed to the log; the
 * redaction below is the second wall, for what may slip into an error or an object.
 */
const secretKeys = [
  'authorization',
  'body',
  'clientSecret',
  'cookie',
  'headers',
  'password',
  'payload',
  'secret',
  'token',
];

export function createLog(level: LogLevel, agentId: string, write?: (line: string) => void): Log {
  const settings = {
    level,
    base: { name: 'quayside-agent', agent: agentId },
    timestamp: () => `,"at":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '******' },
  };
  return write === undefined ? pino(settings) : pino(settings, { write });
}
