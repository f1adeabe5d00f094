import { Box, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import type { App } from '@quayside/contracts';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import {
  Ago,
  Chip,
  CopyButton,
  Dialog,
  EmptyState,
  ErrorPanel,
  Loading,
  Page,
  RowButton,
  Table,
} from '../../ui/index.ts';
import { credentialsQuery, useCredentialChanges } from './queries.ts';
import { SecretDialog } from './secret-dialog.tsx';

type Pending = { kind: 'create' } | { kind: 'rotate' | 'remove'; app: App };

export function CredentialsPage(): ReactNode {
  const credentials = useQuery(credentialsQuery);
  const [pending, setPending] = useState<Pending | undefined>();
  const [shown, setShown] = useState<App | undefined>();
  return (
    <Page
      title="Credentials"
      lead="Client id and secret for agents, Terraform, integrations and scripts."
      maxWidth={1000}
      actions={
        <Button leftSection={<IconPlus size={16} />} onClick={() => setPending({ kind: 'create' })}>
          New credential
        </Button>
      }
    >
      {credentials.isPending && <Loading label="Loading credentials" />}
      {credentials.isError && <ErrorPanel error={credentials.error} onRetry={() => void credentials.refetch()} />}
      {credentials.data && (
        <Box className="q-panel q-clip">
          {credentials.data.length === 0 ? (
            <EmptyState title="There are no credentials">Create one to connect an agent or a script.</EmptyState>
          ) : (
            <CredentialsTable
              apps={credentials.data}
              onRotate={(app) => setPending({ kind: 'rotate', app })}
              onRemove={(app) => setPending({ kind: 'remove', app })}
            />
          )}
        </Box>
      )}
      {pending && (
        <ChangeDialog
          pending={pending}
          onClose={() => setPending(undefined)}
          onSecret={(app) => {
            setPending(undefined);
            setShown(app);
          }}
        />
      )}
      {shown && <SecretDialog app={shown} onClose={() => setShown(undefined)} />}
    </Page>
  );
}

function CredentialsTable({
  apps,
  onRotate,
  onRemove,
}: {
  apps: readonly App[];
  onRotate: (app: App) => void;
  onRemove: (app: App) => void;
}): ReactNode {
  return (
    <Table label="Credentials" columns={['Name', 'Client id', 'Created', 'Actions']}>
      {apps.map((app) => (
        <tr key={app.id}>
          <td>
            <Group gap={8}>
              <Text size="sm" fw={540}>
                {app.name}
              </Text>
              {app.isPrimary && app.name !== 'Primary' && <Chip>Primary</Chip>}
              {!app.enabled && <Chip tone="stop">Disabled</Chip>}
            </Group>
          </td>
          <td>
            <Group gap={2} wrap="nowrap">
              <span className="q-mono">{app.id}</span>
              <CopyButton value={app.id} label={`Copy client id of ${app.name}`} />
            </Group>
          </td>
          <td style={{ whiteSpace: 'nowrap' }}>
            <Ago at={app.createdAt} />
          </td>
          <td>
            <Group gap={6} wrap="nowrap">
              <RowButton label={`Rotate the secret of ${app.name}`} onClick={() => onRotate(app)}>
                Rotate
              </RowButton>
              <RowButton label={`Delete ${app.name}`} isDanger onClick={() => onRemove(app)}>
                Delete
              </RowButton>
            </Group>
          </td>
        </tr>
      ))}
    </Table>
  );
}

const texts = {
  create: { title: 'New credential', button: 'Create' },
  rotate: { title: 'Rotate the secret', button: 'Rotate' },
  remove: { title: 'Delete the credential', button: 'Delete' },
} as const;

function ChangeDialog({
  pending,
  onClose,
  onSecret,
}: {
  pending: Pending;
  onClose: () => void;
  onSecret: (app: App) => void;
}): ReactNode {
  const { create, rotate, remove } = useCredentialChanges();
  const [name, setName] = useState('');
  const [error, setError] = useState<string | undefined>();
  const change = { create, rotate, remove }[pending.kind];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (change.isPending) return;
    if (pending.kind === 'rotate') rotate.mutate(pending.app.id, { onSuccess: onSecret });
    else if (pending.kind === 'remove') remove.mutate(pending.app.id, { onSuccess: onClose });
    else if (name.trim()) create.mutate(name.trim(), { onSuccess: onSecret });
    else setError('Give it a name, so that you know later what uses it.');
  };
  return (
    <Dialog title={texts[pending.kind].title} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {change.isError && <ErrorPanel error={change.error} />}
          {pending.kind === 'create' && (
            <TextInput
              label="Name"
              description="For example: agent in the production cluster"
              withAsterisk
              data-autofocus
              value={name}
              error={error}
              maxLength={100}
              onChange={(event) => {
                setName(event.currentTarget.value);
                setError(undefined);
              }}
            />
          )}
          {pending.kind === 'rotate' && (
            <Text size="sm">
              “{pending.app.name}” gets a new secret. The old one stops working at once, so everything that uses it
              needs the new one.
            </Text>
          )}
          {pending.kind === 'remove' && (
            <Text size="sm">
              “{pending.app.name}” and its tokens stop working. What uses it can not connect any more.
            </Text>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending} {...(pending.kind === 'create' ? {} : { color: 'red.9' })}>
              {texts[pending.kind].button}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
