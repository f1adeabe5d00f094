import { createAgent, createLog, readConfig } from '@quayside/agent';

/**
 * Many agents in one process, for dispatch.bench.ts: the agent's own code, started `count` times with the environment of this
 * process. `node bench/dispatch-agents.ts <count>`; ends at SIGTERM.
 */
process.setMaxListeners(0);
const count = Number(process.argv[2]);
const ends: Promise<number>[] = [];
for (let index = 0; index < count; index += 1) {
  const read = readConfig({ ...process.env, QUAYSIDE_AGENT_ID: `bench-${index}` }, process.pid);
  if (read.kind === 'mistakes') throw new Error(read.mistakes.join('\n'));
  const log = createLog('error', read.config.agentId, (line) => process.stderr.write(line));
  const agent = createAgent(read.config, log);
  process.once('SIGTERM', () => agent.drain());
  ends.push(agent.run());
  // A thousand token calls at once would be a test of something else.
  if (index % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 50));
}
await Promise.all(ends);
process.exit(0);
