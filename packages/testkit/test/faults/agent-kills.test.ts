import { pollingStreamer } from '@quayside/testkit';
import { testAgentKills } from './agent-kills-suite.ts';

testAgentKills(pollingStreamer);
