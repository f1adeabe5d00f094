import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyButton } from './copy-button.tsx';
import { ScrollRegion } from './scroll-region.tsx';

/** Text to be copied as it stands. Scrolls sideways by keyboard too, so it can take the focus and has a name. */
export function CodeBlock({ label, text }: { label: string; text: string }): ReactNode {
  return (
    <div>
      <Group justify="space-between" mb={4} wrap="nowrap">
        <Text size="sm" fw={560}>
          {label}
        </Text>
        <CopyButton value={text} label={`Copy: ${label}`} />
      </Group>
      <ScrollRegion label={label} className="q-code">
        <pre>{text}</pre>
      </ScrollRegion>
    </div>
  );
}

export function JsonBlock({ label, value }: { label: string; value: unknown }): ReactNode {
  return <CodeBlock label={label} text={typeof value === 'string' ? value : JSON.stringify(value, null, 2)} />;
}
