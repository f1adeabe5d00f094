import type { ReactNode } from 'react';
import { Chip } from './status-chip.tsx';

type Change = 'CREATE' | 'UPDATE' | 'DELETE';

export const changeWords: Record<Change, string> = { CREATE: 'Created', UPDATE: 'Updated', DELETE: 'Deleted' };
const tones = { CREATE: 'go', UPDATE: 'calm', DELETE: 'stop' } as const;

export function ChangeChip({ change }: { change: Change }): ReactNode {
  return <Chip tone={tones[change]}>{changeWords[change]}</Chip>;
}
