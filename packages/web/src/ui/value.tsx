import { IconCheck, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ColourChip } from './colour-chip.tsx';
import { HostLink } from './host-link.tsx';
import { Countdown, formatInstant } from './time.tsx';

interface Shape {
  type?: string | undefined;
  format?: string | undefined;
  enumColors?: Record<string, string> | undefined;
}

/** Any property of an entity or input, for reading. `—` for nothing, with a word for screen readers. */
export function Value({ value, shape = {} }: { value: unknown; shape?: Shape }): ReactNode {
  if (value === null || value === undefined || value === '') return <None />;
  if (typeof value === 'boolean') {
    const Glyph = value ? IconCheck : IconX;
    return (
      <span style={{ whiteSpace: 'nowrap' }}>
        <Glyph size={15} aria-hidden="true" style={{ verticalAlign: '-2px' }} /> {value ? 'Yes' : 'No'}
      </span>
    );
  }
  if (typeof value === 'number') return shape.enumColors ? chip(String(value), shape) : value;
  if (typeof value === 'string') {
    if (shape.enumColors && value in shape.enumColors) return chip(value, shape);
    if (shape.format === 'url' || /^https?:\/\/\S+$/.test(value)) return <HostLink url={value} />;
    if (shape.format === 'timer') return <Countdown to={value} />;
    if (shape.format === 'date-time') return <time dateTime={value}>{formatInstant(value)}</time>;
    if (shape.format === 'email') return <a href={`mailto:${value}`}>{value}</a>;
    return value;
  }
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    if (value.length === 0) return <None />;
    return (
      <span style={{ display: 'inline-flex', gap: 4, flexWrap: 'wrap' }}>
        {value.map((item) => (
          <ColourChip key={String(item)} colour={shape.enumColors?.[String(item)]}>
            {String(item)}
          </ColourChip>
        ))}
      </span>
    );
  }
  return <span className="q-mono q-wrap">{JSON.stringify(value)}</span>;
}

function chip(text: string, shape: Shape): ReactNode {
  return <ColourChip colour={shape.enumColors?.[text]}>{text}</ColourChip>;
}

export function None(): ReactNode {
  return (
    <span className="q-dim" role="img" aria-label="none">
      —
    </span>
  );
}
