/** Counts since the start, as the health port shows them. */
export interface Metrics {
  claimed: number;
  delivered: number;
  failed: number;
  /** Leases that were lost while the work went on. */
  lost: number;
  released: number;
}

export function createMetrics(): Metrics {
  return { claimed: 0, delivered: 0, failed: 0, lost: 0, released: 0 };
}

/** Prometheus text. */
export function renderMetrics(metrics: Metrics, gauges: Record<string, number>): string {
  const lines: string[] = [];
  const add = (name: string, type: string, value: number) => {
    lines.push(`# TYPE ${name} ${type}`, `${name} ${value}`);
  };
  add('quayside_agent_runs_claimed_total', 'counter', metrics.claimed);
  add('quayside_agent_deliveries_delivered_total', 'counter', metrics.delivered);
  add('quayside_agent_deliveries_failed_total', 'counter', metrics.failed);
  add('quayside_agent_leases_lost_total', 'counter', metrics.lost);
  add('quayside_agent_leases_released_total', 'counter', metrics.released);
  for (const [name, value] of Object.entries(gauges)) add(`quayside_agent_${name}`, 'gauge', value);
  return `${lines.join('\n')}\n`;
}
