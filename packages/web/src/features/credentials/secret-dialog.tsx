import { Alert, Button, Group, Stack } from '@mantine/core';
import type { App } from '@quayside/contracts';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { CodeBlock, Dialog } from '../../ui/index.ts';

/** Closes only by its button: a secret that is shown once must not vanish by a stray click. */
export function SecretDialog({ app, onClose }: { app: App; onClose: () => void }): ReactNode {
  return (
    <Dialog title={`Secret of ${app.name}`} size="lg" isModalOnly onClose={onClose}>
      <Stack>
        <Alert
          variant="light"
          color="yellow"
          icon={<IconAlertTriangle />}
          styles={{ message: { color: 'var(--mantine-color-text)' } }}
        >
          Copy the secret now. It is not shown again; if it is lost, make a new one by rotating.
        </Alert>
        <CodeBlock label="Client id" text={app.id} />
        <CodeBlock label="Client secret" text={app.secret ?? ''} />
        <Group justify="flex-end">
          <Button onClick={onClose}>I have copied it</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
