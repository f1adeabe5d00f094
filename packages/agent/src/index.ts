export { type Agent, createAgent } from './agent.ts';
export { type Config, type ConfigResult, readConfig } from './config.ts';
export { createLog } from './log.ts';
