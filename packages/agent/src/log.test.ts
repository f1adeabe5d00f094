import { expect, it } from 'vitest';
import { createLog } from './log.ts';

it('writes JSON lines and censors what could be a secret, wherever it stands', () => {
  const lines: string[] = [];
  const log = createLog('debug', 'a-1', (line) => lines.push(line));
  const secret = 'hunter2';
  log.info(
    { token: secret, request: { headers: secret, body: secret }, run: { job: { payload: secret, secret } } },
    'text',
  );
  log.error({ err: Object.assign(new Error('boom'), { clientSecret: secret }), config: { clientSecret: secret } });
  expect(lines.join('')).not.toContain(secret);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    name: 'quayside-agent',
    agent: 'a-1',
    msg: 'text',
    token: '******',
  });
});
