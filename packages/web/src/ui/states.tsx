import { Alert, Button, Center, Code, Loader, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';

interface ShownError {
  message: string;
  code?: string;
  traceId?: string | undefined;
  details?: readonly { path: string; message: string }[];
}

/** What went wrong, in the server's words, with the trace id an operator needs to find it. */
export function ErrorPanel({
  error,
  title,
  onRetry,
}: {
  error: unknown;
  title?: string;
  onRetry?: () => void;
}): ReactNode {
  const shown = error as ShownError;
  const isForbidden = shown.code === 'forbidden';
  return (
    <Alert
      variant="light"
      color="red"
      role="alert"
      title={title ?? (isForbidden ? 'You may not do this' : 'That did not work')}
      icon={<IconAlertTriangle />}
      styles={{ message: { color: 'var(--mantine-color-text)' }, title: { color: 'var(--mantine-color-error)' } }}
    >
      <Text size="sm">{shown.message}</Text>
      {shown.details && shown.details.length > 0 && (
        <ul>
          {shown.details.map((detail) => (
            <li key={`${detail.path} ${detail.message}`}>
              <Code>{detail.path}</Code> {detail.message}
            </li>
          ))}
        </ul>
      )}
      {shown.traceId && (
        <Text size="xs" c="dimmed" mt={6}>
          Trace id <span className="q-mono">{shown.traceId}</span>
        </Text>
      )}
      {onRetry && !isForbidden && (
        <Button mt="sm" size="xs" variant="default" leftSection={<IconRefresh size={15} />} onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

export function EmptyState({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}): ReactNode {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap={6} maw={440}>
        <Text fw={600}>{title}</Text>
        {children && (
          <Text c="dimmed" size="sm" ta="center" component="div">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}

export function Loading({ label = 'Loading' }: { label?: string }): ReactNode {
  return (
    <Center py={48} role="status" aria-label={label}>
      <Loader size="sm" aria-hidden="true" />
    </Center>
  );
}
