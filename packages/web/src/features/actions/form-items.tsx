import { Box, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Field, Item } from './form-model.ts';

/** Inputs under their headings, in the order of the form. */
export function FormItems({
  items,
  children,
}: {
  items: readonly Item[];
  children: (field: Field) => ReactNode;
}): ReactNode {
  return items.map((item) =>
    item.kind === 'title' ? (
      <Box key={`title ${item.key}`} mt="xs" pb={4} style={{ borderBottom: '1px solid var(--q-line)' }}>
        <Title order={3}>{item.title}</Title>
        {item.description && (
          <Text size="xs" c="dimmed">
            {item.description}
          </Text>
        )}
      </Box>
    ) : (
      children(item.field)
    ),
  );
}
