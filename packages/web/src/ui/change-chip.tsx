import type { ReactNode } from 'react';
import { Chip } from './status-chip.tsx';

type Change = 'CREATE' | 'UPDATE' | 'DELETE' | 'TIMER_EXPIRED';

export const changeWords: Record<Change, string> = {
  CREATE: 'Created',
  UPDATE: 'Updated',
  DELETE: 'Deleted',
  TIMER_EXPIRED: 'Timer expired',
};
const tones = { CREATE: 'go', UPDATE: 'calm', DELETE: 'stop', TIMER_EXPIRED: 'calm' } as const;

export function ChangeChip({ change }: { change: Change }): ReactNode {
  return <Chip tone={tones[change]}>{changeWords[change]}</Chip>;
}
