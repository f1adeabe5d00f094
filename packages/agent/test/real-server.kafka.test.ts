import { kafkaStreamer } from '@quayside/testkit';
import { inject } from 'vitest';
import { testAtRealServer } from './real-server-suite.ts';

testAtRealServer(kafkaStreamer(inject('kafka')));
