import type { Fault } from './field.ts';
import type { MappingReport } from './index.ts';

/** A line as an integration would send it to the event log (spec/clients.md §1.12). */
export interface EventLine {
  level: 'WARNING' | 'ERROR';
  message: string;
}

/**
 * What an integration with this mapping would log about a batch, word for word, so that a preview and the real event log
 * read the same. `required` names the fields the blueprint requires (`properties.url`); a missing one is an error.
 */
export function eventLines(report: MappingReport, required: ReadonlySet<string> = new Set()): EventLine[] {
  const lines = report.faults.map((fault): EventLine => {
    const isMissing = fault.reason === 'null';
    return { level: isMissing && required.has(fault.field) ? 'ERROR' : 'WARNING', message: messageOf(fault) };
  });
  // Items that the selector filtered out are counted too, as the clients do.
  const without = report.counts.dropped + report.counts.filtered;
  if (without > 0) {
    const message = `${without} transformations of batch failed due to empty, null or missing values`;
    lines.push({ level: 'WARNING', message });
  }
  return lines;
}

function messageOf({ field, source, reason, message }: Fault): string {
  if (reason === 'null') return `Unable to find valid data for: '${field}': ${source} (${message})`;
  // These two describe themselves, with their program in the sentence.
  if (field === 'itemsToParse' && message.startsWith('Failed to parse items')) return message;
  if (field === 'selector.query' && message.startsWith('Expected boolean value')) return message;
  return `Search failed for field '${field}' - pattern: ${source}: ${message}`;
}
