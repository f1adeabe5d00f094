import { type Logger, pino } from 'pino';

export type { Logger };

/**
 * Structured logs, one JSON object a line. What could carry a secret is censored by path, wherever it stands; bodies and
 * headers of requests are never logged at all.
 */
export function createLog(options: {
  level: string;
  name: string;
  destination?: { write(line: string): void };
}): Logger {
  const settings = {
    level: options.level,
    base: { name: options.name },
    timestamp: () => `,"at":"${new Date().toISOString()}"`,
    redact: {
      paths: ['password', 'secret', 'clientSecret', 'authorization', 'cookie', 'token', 'accessToken'].flatMap(
        (key) => [key, `*.${key}`, `*.*.${key}`],
      ),
      censor: '******',
    },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}
