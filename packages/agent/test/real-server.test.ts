import { testAtRealServer } from './real-server-suite.ts';

testAtRealServer({ name: 'POLLING', serverEnvironment: {}, agentEnvironment: {} });
