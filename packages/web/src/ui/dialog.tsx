import { Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useFocusReturn } from './use-focus-return.ts';

interface DialogProps {
  title: ReactNode;
  onClose: () => void;
  size?: string;
  /** Closes only by what is inside: for what must not vanish by a stray click or key. */
  isModalOnly?: boolean;
  children: ReactNode;
}

/**
 * A dialog: full screen on a phone. Put together from Mantine's parts, because its ready-made one draws a `<header>`, which
 * counts as a second page banner.
 */
export function Dialog({ title, onClose, size = 'md', isModalOnly = false, children }: DialogProps): ReactNode {
  useFocusReturn();
  const isNarrow = useMediaQuery('(max-width: 36em)', false, { getInitialValueInEffect: false });
  return (
    <Modal.Root
      opened
      onClose={onClose}
      size={size}
      fullScreen={isNarrow && !isModalOnly}
      closeOnClickOutside={!isModalOnly}
      closeOnEscape={!isModalOnly}
    >
      <Modal.Overlay />
      <Modal.Content>
        <div className="q-dialog-head">
          <Modal.Title component="h2" className="q-dialog-title">
            {title}
          </Modal.Title>
          {!isModalOnly && <Modal.CloseButton aria-label="Close" />}
        </div>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
