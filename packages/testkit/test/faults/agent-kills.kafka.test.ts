import { kafkaStreamer } from '@quayside/testkit';
import { inject } from 'vitest';
import { testAgentKills } from './agent-kills-suite.ts';

const streamer = kafkaStreamer(inject('kafka'));
// The next agent waits this long for the partitions of one that was killed.
const agentEnvironment = { ...streamer.agentEnvironment, KAFKA_CONSUMER_SESSION_TIMEOUT_MS: '1500' };
testAgentKills({ ...streamer, agentEnvironment });
