import { Box, Button, Code, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import type { Secret } from '@quayside/contracts';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Ago, Dialog, EmptyState, ErrorPanel, Loading, Page, RowButton, Table } from '../../ui/index.ts';
import { secretsQuery, useSecretChanges } from './queries.ts';

type Open = { kind: 'create' } | { kind: 'change' | 'remove'; secret: Secret };

export function SecretsPage(): ReactNode {
  const secrets = useQuery(secretsQuery);
  const [open, setOpen] = useState<Open | undefined>();
  return (
    <Page
      title="Secrets"
      lead={
        <>
          Named in the templates of actions as <Code>{'{{ .secrets.NAME }}'}</Code>. Encrypted at rest, and never shown
          again.
        </>
      }
      maxWidth={1000}
      actions={
        <Button leftSection={<IconPlus size={16} />} onClick={() => setOpen({ kind: 'create' })}>
          New secret
        </Button>
      }
    >
      {secrets.isPending && <Loading label="Loading secrets" />}
      {secrets.isError && <ErrorPanel error={secrets.error} onRetry={() => void secrets.refetch()} />}
      {secrets.data && (
        <Box className="q-panel q-clip">
          {secrets.data.length === 0 ? (
            <EmptyState title="There are no secrets">
              Store a token here, and name it in an action instead of writing it there.
            </EmptyState>
          ) : (
            <SecretsTable secrets={secrets.data} onOpen={(kind, secret) => setOpen({ kind, secret })} />
          )}
        </Box>
      )}
      {open && open.kind !== 'remove' && (
        <SecretForm secret={open.kind === 'change' ? open.secret : undefined} onClose={() => setOpen(undefined)} />
      )}
      {open?.kind === 'remove' && <RemoveDialog secret={open.secret} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

function SecretsTable({
  secrets,
  onOpen,
}: {
  secrets: readonly Secret[];
  onOpen: (kind: 'change' | 'remove', secret: Secret) => void;
}): ReactNode {
  return (
    <Table label="Secrets" columns={['Name', 'Description', 'Changed', 'Actions']}>
      {secrets.map((secret) => (
        <tr key={secret.secretName}>
          <td className="q-mono">{secret.secretName}</td>
          <td>{secret.description || '–'}</td>
          <td style={{ whiteSpace: 'nowrap' }}>
            <Ago at={secret.updatedAt} />
          </td>
          <td>
            <Group gap={6} wrap="nowrap">
              <RowButton label={`Change ${secret.secretName}`} onClick={() => onOpen('change', secret)}>
                Change
              </RowButton>
              <RowButton label={`Delete ${secret.secretName}`} isDanger onClick={() => onOpen('remove', secret)}>
                Delete
              </RowButton>
            </Group>
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** A new secret, or a new value or description of one. An empty value leaves the stored one as it is. */
function SecretForm({ secret, onClose }: { secret: Secret | undefined; onClose: () => void }): ReactNode {
  const { create, change } = useSecretChanges();
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [description, setDescription] = useState(secret?.description ?? '');
  const [errors, setErrors] = useState<{ name?: string; value?: string }>({});
  const mutation = secret ? change : create;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (mutation.isPending) return;
    if (secret) {
      change.mutate(
        { name: secret.secretName, body: { description, ...(value === '' ? {} : { secretValue: value }) } },
        { onSuccess: onClose },
      );
      return;
    }
    const found = {
      ...(/^[A-Za-z0-9_-]{1,100}$/.test(name) ? {} : { name: 'Letters, digits, - and _' }),
      ...(value === '' ? { value: 'Enter the value' } : {}),
    };
    setErrors(found);
    if (Object.keys(found).length === 0)
      create.mutate({ secretName: name, secretValue: value, description }, { onSuccess: onClose });
  };
  return (
    <Dialog title={secret ? `Change ${secret.secretName}` : 'New secret'} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {mutation.isError && <ErrorPanel error={mutation.error} />}
          {!secret && (
            <TextInput
              label="Name"
              description="As templates write it, for example GITHUB_TOKEN"
              withAsterisk
              data-autofocus
              value={name}
              error={errors.name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
          <PasswordInput
            label={secret ? 'New value' : 'Value'}
            description={secret ? 'Leave it empty to keep the present one.' : undefined}
            withAsterisk={!secret}
            autoComplete="off"
            value={value}
            error={errors.value}
            visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the value', tabIndex: 0 }}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <TextInput
            label="Description"
            maxLength={200}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={mutation.isPending}>
              {secret ? 'Save' : 'Store'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function RemoveDialog({ secret, onClose }: { secret: Secret; onClose: () => void }): ReactNode {
  const { remove } = useSecretChanges();
  return (
    <Dialog title="Delete the secret" onClose={onClose}>
      <Stack>
        {remove.isError && <ErrorPanel error={remove.error} />}
        <Text size="sm">Templates that name {secret.secretName} get null from now on.</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            color="red.9"
            loading={remove.isPending}
            onClick={() => remove.mutate(secret.secretName, { onSuccess: onClose })}
          >
            Delete
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
