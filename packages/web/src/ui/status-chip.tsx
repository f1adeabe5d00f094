import type { RunStatus } from '@quayside/contracts';
import { IconBan, IconCircleCheck, IconCircleX, IconHourglass, IconLoader2 } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';

type Tone = 'go' | 'stop' | 'busy' | 'wait' | 'calm';

export const statusWords: Record<RunStatus, string> = {
  WAITING_FOR_APPROVAL: 'Waiting for approval',
  IN_PROGRESS: 'In progress',
  SUCCESS: 'Success',
  FAILURE: 'Failure',
  DECLINED: 'Declined',
};

const looks: Record<RunStatus, { tone: Tone; Glyph: ComponentType<{ size?: number; className?: string }> }> = {
  WAITING_FOR_APPROVAL: { tone: 'wait', Glyph: IconHourglass },
  IN_PROGRESS: { tone: 'busy', Glyph: IconLoader2 },
  SUCCESS: { tone: 'go', Glyph: IconCircleCheck },
  FAILURE: { tone: 'stop', Glyph: IconCircleX },
  DECLINED: { tone: 'calm', Glyph: IconBan },
};

/** Shape, word and colour say the same thing, so that none of them is needed to read it. */
export function StatusChip({ status, label }: { status: RunStatus; label?: string | null | undefined }): ReactNode {
  const { tone, Glyph } = looks[status];
  return (
    <span className="q-chip" data-tone={tone} data-status={status}>
      <Glyph size={14} {...(status === 'IN_PROGRESS' ? { className: 'q-spin' } : {})} aria-hidden="true" />
      <span>{label ? `${statusWords[status]}: ${label}` : statusWords[status]}</span>
    </span>
  );
}

export function Chip({ tone = 'calm', children }: { tone?: Tone; children: ReactNode }): ReactNode {
  return (
    <span className="q-chip" data-tone={tone}>
      <span>{children}</span>
    </span>
  );
}
