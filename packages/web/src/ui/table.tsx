import { Button } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ScrollRegion } from './scroll-region.tsx';

/** A table that scrolls on its own where it is too wide. `children` are its rows. */
export function Table({
  label,
  columns,
  children,
}: {
  label: string;
  columns: readonly string[];
  children: ReactNode;
}): ReactNode {
  return (
    <ScrollRegion label={label}>
      <table className="q-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </ScrollRegion>
  );
}

/** What can be done with a row. `label` says with which one, as the row is not read along with the button. */
export function RowButton({
  label,
  isDanger = false,
  isDisabled = false,
  onClick,
  children,
}: {
  label: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}): ReactNode {
  return (
    <Button
      size="compact-xs"
      variant="default"
      aria-label={label}
      disabled={isDisabled}
      onClick={onClick}
      {...(isDanger ? { c: 'var(--mantine-color-error)' } : {})}
    >
      {children}
    </Button>
  );
}

/** Opens and closes what stands below a row; `controls` is its id. */
export function RowToggle({
  label,
  isOpen,
  controls,
  onToggle,
  children,
}: {
  label?: string;
  isOpen: boolean;
  controls: string;
  onToggle: () => void;
  children: ReactNode;
}): ReactNode {
  const Glyph = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <Button
      size="compact-xs"
      variant="default"
      leftSection={<Glyph size={13} aria-hidden="true" />}
      aria-label={label}
      aria-expanded={isOpen}
      {...(isOpen ? { 'aria-controls': controls } : {})}
      onClick={onToggle}
    >
      {children}
    </Button>
  );
}
