import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * The built web UI: files with a hash in their name are kept for a year, the page itself is asked for each time. A path
 * that is no file and no API route is a page of the UI, for a browser that wants HTML.
 */
const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

export interface WebFiles {
  /** Answers with the page if the request is a browser's navigation; false = not for us. */
  servePage(request: FastifyRequest, reply: FastifyReply): boolean;
}

export async function serveWebFiles(app: FastifyInstance, directory: string): Promise<WebFiles> {
  const index = join(directory, 'index.html');
  if (!existsSync(index)) {
    return {
      servePage(request, reply) {
        if (!wantsPage(request)) return false;
        reply
          .status(503)
          .type('text/html; charset=utf-8')
          .send(
            '<!doctype html><title>Quayside</title><p>The web UI is not built. Start with <code>script/server</code>, which builds it.</p>',
          );
        return true;
      },
    };
  }
  await app.register(fastifyStatic, {
    root: directory,
    wildcard: false,
    index: false,
    preCompressed: true,
    setHeaders(reply, path) {
      for (const [name, value] of Object.entries(securityHeaders)) reply.header(name, value);
      reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const page = readFileSync(index);
  return {
    servePage(request, reply) {
      if (!wantsPage(request)) return false;
      reply
        .headers({ ...securityHeaders, 'cache-control': 'no-cache' })
        .type('text/html; charset=utf-8')
        .send(page);
      return true;
    },
  };
}

function wantsPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const path = request.url.split('?')[0] ?? '';
  // Not by extension: `checkout.api` may be the identifier of an entity.
  if (/^\/(v1|healthz|readyz|metrics|assets)(\/|$)/.test(path)) return false;
  return (request.headers.accept ?? '').includes('text/html');
}
