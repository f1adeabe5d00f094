import type { ReactNode } from 'react';

/** The contract's colour names. Text stays the interface's own; only the dot carries the colour, so contrast never depends on it. */
const values: Record<string, string> = {
  blue: '#2f7de1',
  turquoise: '#16b8c4',
  orange: '#f08c2e',
  purple: '#8b5cf6',
  pink: '#ec5fa5',
  yellow: '#f2cc0c',
  green: '#2fa84f',
  red: '#e04545',
  gold: '#c9a227',
  silver: '#b3bcc2',
  paleBlue: '#9cc7ee',
  darkGray: '#5c6b74',
  lightGray: '#cdd6db',
  bronze: '#a97142',
  lime: '#9bcf2f',
  olive: '#808d22',
  brown: '#7d5233',
};

export function ColourDot({ colour }: { colour: string | undefined }): ReactNode {
  const value = colour ? values[colour] : undefined;
  return value ? <span className="q-dot" style={{ background: value }} aria-hidden="true" /> : null;
}

export function ColourChip({ colour, children }: { colour: string | undefined; children: ReactNode }): ReactNode {
  return (
    <span className="q-chip" data-tone="calm">
      <ColourDot colour={colour} />
      <span>{children}</span>
    </span>
  );
}
