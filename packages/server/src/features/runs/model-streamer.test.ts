import type { AgentStreamer } from '@quayside/contracts';
import { expect, it } from 'vitest';
import { chooseStreamer } from './model-streamer.ts';

const part = (streamer: AgentStreamer, canTake: boolean) => ({ streamer, canTake });

it.each([
  ['nobody is known: as was said', 'KAFKA', [], 'KAFKA'],
  ["Port's agents, which are never seen: as was said", 'KAFKA', [part('POLLING', true)], 'KAFKA'],
  ['both can: as was said', 'POLLING', [part('KAFKA', true), part('POLLING', true)], 'POLLING'],
  ['neither can: as was said', 'KAFKA', [part('KAFKA', false), part('POLLING', false)], 'KAFKA'],
  ['consumers are away, pollers can', 'KAFKA', [part('KAFKA', false), part('POLLING', true)], 'POLLING'],
  ['pollers are away, consumers can', 'POLLING', [part('POLLING', false), part('KAFKA', true)], 'KAFKA'],
  ['consumers are away, there are no pollers', 'KAFKA', [part('KAFKA', false)], 'KAFKA'],
] as const)('%s', (_, said, fleet, way) => {
  expect(chooseStreamer(said, fleet)).toBe(way);
});
