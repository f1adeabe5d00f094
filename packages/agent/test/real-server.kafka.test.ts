import { inject } from 'vitest';
import { kafkaStreamer } from './kafka-streamer.ts';
import { testAtRealServer } from './real-server-suite.ts';

testAtRealServer(kafkaStreamer(inject('kafka')));
