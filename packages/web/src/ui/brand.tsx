import type { ReactNode } from 'react';

/** A mooring bollard on the quay, the water below. The mark stands alone; the word is set in the interface's own type. */
export function BrandMark({ size = 28 }: { size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0b6477" />
      <path d="M10 7h12a2 2 0 0 1 0 4h-2.5v5h-7v-5H10a2 2 0 0 1 0-4z" fill="#fff" />
      <path d="M5 19.5h22" stroke="#fff" strokeWidth="2.5" strokeLinecap="round" />
      <path
        d="M6 25c2.5-2 4.5-2 7 0s4.5 2 7 0 4-2 6 0"
        fill="none"
        stroke="#7fd4e3"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}
