import { pollingStreamer } from '@quayside/testkit';
import { testAtRealServer } from './real-server-suite.ts';

testAtRealServer(pollingStreamer);
