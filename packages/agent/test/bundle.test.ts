import { pollingStreamer } from '@quayside/testkit';
import { testBundle } from './bundle-suite.ts';

testBundle(pollingStreamer);
