import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** `label` says what is copied: "Copy run id". With `isText` the label is on the button, else only its accessible name. */
export function CopyButton({
  value,
  label,
  isText = false,
}: {
  value: string | (() => string);
  label: string;
  isText?: boolean;
}): ReactNode {
  const clipboard = useClipboard({ timeout: 1600 });
  const copy = (): void => clipboard.copy(typeof value === 'function' ? value() : value);
  const Glyph = clipboard.copied ? IconCheck : IconCopy;
  if (isText) {
    return (
      <Button variant="default" size="xs" leftSection={<Glyph size={15} />} onClick={copy}>
        {clipboard.copied ? 'Copied' : label}
      </Button>
    );
  }
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        c="dimmed"
        onClick={copy}
        aria-label={clipboard.copied ? 'Copied' : label}
      >
        <Glyph size={16} />
      </ActionIcon>
    </Tooltip>
  );
}
