import { createService } from './service.ts';

/** The process: environment in, JSON lines out, a clean end at SIGTERM. The variables are described in README.md. */
const missing = ['PORT_API_BASE_URL', 'PORT_CLIENT_ID', 'PORT_CLIENT_SECRET'].filter((name) => !process.env[name]);
const port = Number(process.env.PORT ?? 8_090);
if (missing.length > 0 || !Number.isInteger(port)) {
  process.stderr.write(`Set ${missing.join(', ') || 'PORT to a number'}; README.md says how.\n`);
  process.exit(1);
}

const log = (event: string, details: Record<string, unknown>) => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), event, ...details })}\n`);
};
const service = createService({
  portalUrl: (process.env.PORT_API_BASE_URL ?? '').replace(/\/+$/, ''),
  clientId: process.env.PORT_CLIENT_ID ?? '',
  clientSecret: process.env.PORT_CLIENT_SECRET ?? '',
  stepMs: Number(process.env.STEP_MS ?? 1_200),
  log,
});
const host = process.env.HOST ?? '127.0.0.1';
service.server.once('error', (error) => {
  log('can not listen', { host, port, error: error.message });
  process.exit(1);
});
service.server.listen(port, host, () => log('listening', { host, port }));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await service.stop();
    process.exit(0);
  });
}
