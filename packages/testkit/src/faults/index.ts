export { checkAutomations, readAutomations } from './automations.ts';
export { type CheckOptions, checkRecord, summarize, type Violation } from './check.ts';
export { type Door, type Gate, startDoor, startGate } from './gate.ts';
export { PortalClient } from './portal-client.ts';
export { countOpenRuns, type Observed, type PortalRecord, readRecord } from './record.ts';
export { runStorm } from './storm.ts';
export { type FaultTarget, setUpTarget, startFaultTarget } from './target.ts';
export { until } from './until.ts';
