import type { DeliveryOutcome } from '@quayside/contracts';
import { createTransport } from 'nodemailer';

/** E-mail through the SMTP server of the configuration. What the server does is an outcome; nothing is thrown. */
export interface Mailer {
  /** `id` becomes the Message-ID: a message that is sent twice is recognised by it. */
  send(mail: { id: string; to: readonly string[]; subject: string; text: string }): Promise<DeliveryOutcome>;
  close(): void;
}

const connectMs = 10_000;
const answerMs = 20_000;

export function createMailer(smtp: { url: string; from: string }): Mailer {
  const transport = createTransport({
    url: smtp.url,
    pool: true,
    maxConnections: 2,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: answerMs,
    // Files and URLs in a message would be the server's own.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^>\s]+)/.exec(smtp.from)?.[1] ?? 'quayside.local';
  return {
    async send({ id, to, subject, text }) {
      const startedAt = performance.now();
      const durationMs = () => performance.now() - startedAt;
      try {
        const { accepted, rejected } = await transport.sendMail({
          from: smtp.from,
          to: [...to],
          subject,
          text,
          messageId: `<${id}@${domain}>`,
        });
        return { kind: 'mailed', recipients: texts(accepted), rejected: texts(rejected), durationMs: durationMs() };
      } catch (error) {
        const { message, responseCode, code } = error as Error & { responseCode?: number; code?: string };
        // 5xx: it would say so again. Everything else may pass: no connection, 4xx, a login that is to be put right.
        if (responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH') return { kind: 'refused', message };
        return { kind: 'unreachable', code: code ?? 'SMTP', message, durationMs: durationMs() };
      }
    },
    close: () => transport.close(),
  };
}

function texts(addresses: readonly (string | { address: string })[]): string[] {
  return addresses.map((address) => (typeof address === 'string' ? address : address.address));
}
