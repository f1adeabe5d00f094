import type { DeliveryOutcome, RunPatch } from '@quayside/contracts';
import type { Invocation, Message, Unpreparable } from '@quayside/delivery';

/**
 * From the message to the request ("control the payload"). A mapping is a list of entries; the first whose `isEnabled`
 * holds makes the request. Only the default entry exists so far: URL, method and headers from the invocation, the whole
 * message as body. A mapping file adds entries in front of it, with jq in place of these functions.
 */
export interface MappingEntry {
  isEnabled(message: Message): boolean;
  request(message: Message): Invocation | Unpreparable;
  /** What the run is told beyond the outcome; its keys win over the defaults. */
  report?(context: ReportContext): RunPatch;
}

interface ReportContext {
  body: Message;
  request: Invocation;
  outcome: DeliveryOutcome;
}

/**
 * Custom headers are forwarded: Port's agent drops them unless its mapping file says otherwise, but an action that names
 * headers means them.
 */
const defaultEntry: MappingEntry = {
  isEnabled: () => true,
  request(message) {
    const { invocationMethod } = message.payload.action;
    if (invocationMethod.type === 'GITLAB') {
      const message =
        'this version of the agent can not start GitLab pipelines yet; call the trigger URL with a WEBHOOK';
      return { kind: 'unpreparable', message };
    }
    return {
      url: invocationMethod.url,
      method: invocationMethod.method,
      headers: message.headers,
      body: message,
    };
  },
};

export const defaultMapping: readonly MappingEntry[] = [defaultEntry];

/** Undefined = the message is none of this agent's business. */
export function findEntry(mapping: readonly MappingEntry[], message: Message): MappingEntry | undefined {
  return mapping.find((entry) => entry.isEnabled(message));
}
