import type { Message as KafkaMessage } from '@platformatic/kafka';
import { recordHeaders } from '@quayside/contracts/kafka-rules';
import { invocationOf, type Message, verifyMessage } from '@quayside/delivery';
import type { Config, KafkaConfig } from '../config.ts';
import type { Log } from '../log.ts';

/** One record of a topic: whether it is for agents, whether the portal wrote it, and what is to be done about it. */
export type Record = KafkaMessage<Buffer, Buffer, Buffer, Buffer>;

export interface Held {
  record: Record;
  /** Records with the same key are worked on one after the other. */
  key: string;
  message: Message;
  kind: 'leased' | 'reported' | 'change';
  isDone: boolean;
}

/**
 * Undefined = nothing is to be done about it here: not for agents, unreadable, or forged; the latter two with a line in the
 * log. `onForged` hears which run a message claims to be of, whose signature is missing or wrong.
 */
export function readRecord(
  record: Record,
  options: { log: Log; config: Pick<Config, 'clientSecret'> & { kafka: KafkaConfig } },
  onForged: (runId: string, sentence: string) => void,
): Pick<Held, 'key' | 'message' | 'kind'> | undefined {
  const { log, config } = options;
  const where = { topic: record.topic, partition: record.partition, offset: Number(record.offset) };
  let parsed: unknown;
  try {
    parsed = JSON.parse(record.value?.toString() ?? '');
  } catch {
    log.error(where, 'a message is not JSON and is passed over; something else than the portal writes into the topic');
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const message = parsed as Message;
  if (record.topic === config.kafka.changeLogTopic) {
    const destination = message.changelogDestination as { agent?: unknown } | undefined;
    if (!destination?.agent) return undefined;
    return { kind: 'change', message, key: `change ${record.key?.toString() ?? record.offset}` };
  }
  const { agent, agentLabels } = invocationOf(message);
  if (!agent && agentLabels === undefined) return undefined;
  const verified = verifyMessage(message, config.clientSecret);
  if (verified.kind !== 'valid') {
    const problem = verified.kind === 'unsigned' ? 'has no signature' : 'has a wrong signature';
    const sentence = `a message ${problem} and is passed over: check that PORT_CLIENT_SECRET is the secret of the organization's primary credential, and who may write into the topic`;
    log.error(where, sentence);
    if (typeof message.context?.runId === 'string') onForged(message.context.runId, sentence);
    return undefined;
  }
  const checked = verified.message as Message;
  if (typeof checked.context?.runId !== 'string') {
    log.error(where, 'a message names no run and is passed over');
    return undefined;
  }
  // Written so for agents that do not claim; who has the labels is decided by the claim.
  if (agentLabels !== undefined) invocationOf(checked).agent = true;
  const isLeased = header(record, recordHeaders.lease) === checked.context.runId;
  return { kind: isLeased ? 'leased' : 'reported', message: checked, key: `run ${checked.context.runId}` };
}

export type Place = Pick<Record, 'topic' | 'partition'>;

export function partitionOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}

/** The same however often the record is read. */
export function changeIdOf(record: Record): string {
  return `${header(record, recordHeaders.event) ?? 'change'}-${record.partition}-${record.offset}`;
}

function header(record: Record, name: string): string | undefined {
  return record.headerEntries.find(([key]) => key?.toString() === name)?.[1]?.toString();
}
