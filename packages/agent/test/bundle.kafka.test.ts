import { kafkaStreamer } from '@quayside/testkit';
import { inject } from 'vitest';
import { testBundle } from './bundle-suite.ts';

testBundle(kafkaStreamer(inject('kafka')));
