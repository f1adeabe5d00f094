import type { Agent, RunPreview } from '@quayside/contracts';
import { buildMessage, prepare } from '@quayside/delivery';
import { describeLabels, hasLabels, type Labels } from './model.ts';

/** What would be sent, as the sender would make it; of the masked payload. */
export function previewRequest(runId: string, payload: Record<string, unknown>): NonNullable<RunPreview['request']> {
  const { type, ...rest } = payload;
  const isHttp = typeof payload.url === 'string' && payload.url !== '' && type === 'WEBHOOK';
  if (!isHttp) return { type: String(type), body: rest.body ?? rest };
  const { agent } = payload;
  const body = agent === true ? buildMessage({ id: runId, payload }) : payload.body;
  const prepared = prepare({ ...payload, body } as Parameters<typeof prepare>[0], {
    runId,
    attempt: 1,
    userAgent: agent === true ? 'quayside-agent' : 'quayside',
  });
  // The masked URL need not be one: then what the template yields is shown.
  if (prepared.kind !== 'prepared') return { type: String(type), url: String(payload.url), body };
  const { method, url, headers } = prepared.request;
  return { type: String(type), method, url: url.href, headers: { ...headers, ...signature }, body };
}

const signature = { 'X-Port-Timestamp': '(when it is sent)', 'X-Port-Signature': '(made when it is sent)' };

export function previewCarrier(
  payload: Record<string, unknown>,
  agents: readonly Agent[],
): NonNullable<RunPreview['carrier']> {
  const { type } = payload;
  if (payload.agent === true) {
    const wanted = (payload.agentLabels ?? {}) as Labels;
    const connected = agents.filter((agent) => agent.isConnected);
    const names = connected.filter(({ labels }) => hasLabels(labels, wanted)).map((agent) => agent.id);
    const text =
      names.length === 0
        ? `No execution agent ${connected.length === 0 ? 'is connected' : `with ${describeLabels(wanted)} is connected`}; the run would wait for one.`
        : `The next of ${names.length === 1 ? 'one connected agent' : `${names.length} connected agents`} that is free; its mapping file may change the request.`;
    return { names, text };
  }
  const texts: Readonly<Record<string, string>> = {
    UPSERT_ENTITY: 'The portal itself: it writes the entity.',
    KAFKA: "Whoever reads the organization's topic in Kafka.",
    INTEGRATION_ACTION: `The integration ${String(payload.installationId)}, when it asks for work.`,
    GITHUB: 'GitHub, started by the portal with the token of the organization.',
  };
  return { names: [], text: texts[String(type)] ?? 'The portal itself, from its own network.' };
}
