import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatInstant } from '../../ui/index.ts';
import type { Moment } from './timeline.ts';
import './timeline.css';

export function TimelineList({ moments }: { moments: readonly Moment[] }): ReactNode {
  const start = Date.parse(moments[0]?.at ?? '');
  return (
    <ol className="q-timeline">
      {moments.map((moment) => (
        <li key={moment.key}>
          <span className="q-timeline-mark" data-tone={moment.tone} aria-hidden="true" />
          <Text size="sm" fw={540} className="q-wrap">
            {moment.title}
          </Text>
          <Text size="xs" c="dimmed" className="q-wrap">
            {moment.at && (
              <time dateTime={moment.at} title={formatInstant(moment.at)}>
                {moment.key === 'requested' ? formatInstant(moment.at) : since(Date.parse(moment.at) - start)}
              </time>
            )}
            {moment.at && moment.detail ? ' · ' : ''}
            {moment.detail}
          </Text>
        </li>
      ))}
    </ol>
  );
}

/** Against the start, because what matters is where the time went. */
function since(ms: number): string {
  if (ms < 1000) return `+${Math.max(0, Math.round(ms))} ms`;
  return ms < 60_000
    ? `+${(ms / 1000).toFixed(2)} s`
    : `+${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
