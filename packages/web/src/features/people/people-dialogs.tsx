import { Button, Group, MultiSelect, Select, Stack, Text, TextInput } from '@mantine/core';
import { type Role, roles, type Team, type User } from '@quayside/contracts';
import { type FormEvent, type ReactNode, useState } from 'react';
import { CodeBlock, Dialog, ErrorPanel, formatInstant } from '../../ui/index.ts';
import type { usePeopleChanges } from './queries.ts';

type Changes = ReturnType<typeof usePeopleChanges>;
type Invited = Awaited<ReturnType<Changes['invite']['mutateAsync']>>;

export function InviteDialog({
  teams,
  invite,
  onClose,
  onInvited,
}: {
  teams: readonly Team[];
  invite: Changes['invite'];
  onClose: () => void;
  onInvited: (email: string, answer: Invited) => void;
}): ReactNode {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('Member');
  const [chosen, setChosen] = useState<string[]>([]);
  const [error, setError] = useState<string | undefined>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const address = email.trim();
    if (invite.isPending) return;
    if (!/^\S+@\S+$/.test(address)) setError('Enter the e-mail address of the person');
    else
      invite.mutate(
        { email: address, roles: [role], teams: chosen },
        { onSuccess: (answer) => onInvited(address, answer) },
      );
  };
  return (
    <Dialog title="Invite a person" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {invite.isError && <ErrorPanel error={invite.error} />}
          <TextInput
            label="E-mail"
            type="email"
            withAsterisk
            data-autofocus
            value={email}
            error={error}
            onChange={(event) => {
              setEmail(event.currentTarget.value);
              setError(undefined);
            }}
          />
          <Select
            label="Role"
            allowDeselect={false}
            data={[...roles]}
            value={role}
            onChange={(value) => value && setRole(value as Role)}
          />
          <MultiSelect label="Teams" data={teams.map((team) => team.name)} value={chosen} onChange={setChosen} />
          <Buttons onClose={onClose} isBusy={invite.isPending} button="Invite" />
        </Stack>
      </form>
    </Dialog>
  );
}

export function LinkDialog({
  email,
  link,
  expiresAt,
  onClose,
}: {
  email: string;
  link: string;
  expiresAt: string;
  onClose: () => void;
}): ReactNode {
  return (
    <Dialog title={`Password link for ${email}`} size="lg" isModalOnly onClose={onClose}>
      <Stack>
        <Text size="sm">
          Send this link to {email} by a way you trust. Whoever has it sets the password, once, until{' '}
          {formatInstant(expiresAt)}. It is not shown again.
        </Text>
        <CodeBlock label="Link" text={link} />
        <Group justify="flex-end">
          <Button onClick={onClose}>I have copied it</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

export function TeamDialog({
  team,
  users,
  save,
  onClose,
}: {
  team: Team | undefined;
  users: readonly User[];
  save: Changes['saveTeam'];
  onClose: () => void;
}): ReactNode {
  const [name, setName] = useState(team?.name ?? '');
  const [description, setDescription] = useState(team?.description ?? '');
  const [members, setMembers] = useState(team?.users.map((user) => user.email) ?? []);
  const [error, setError] = useState<string | undefined>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (save.isPending) return;
    if (!name.trim()) setError('Give the team a name');
    else
      save.mutate(
        { before: team?.name, body: { name: name.trim(), description: description.trim() || null, users: members } },
        { onSuccess: onClose },
      );
  };
  return (
    <Dialog title={team ? `Edit ${team.name}` : 'New team'} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {save.isError && <ErrorPanel error={save.error} />}
          <TextInput
            label="Name"
            withAsterisk
            data-autofocus
            value={name}
            error={error}
            onChange={(event) => {
              setName(event.currentTarget.value);
              setError(undefined);
            }}
          />
          <TextInput
            label="Description"
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <MultiSelect
            label="Members"
            searchable
            data={users.map((user) => user.email)}
            value={members}
            onChange={setMembers}
          />
          <Buttons onClose={onClose} isBusy={save.isPending} button={team ? 'Save' : 'Create'} />
        </Stack>
      </form>
    </Dialog>
  );
}

export function ConfirmDialog({
  title,
  button,
  change,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  button: string;
  change: { isPending: boolean; isError: boolean; error: unknown };
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}): ReactNode {
  return (
    <Dialog title={title} onClose={onClose}>
      <Stack>
        {change.isError && <ErrorPanel error={change.error} />}
        <Text size="sm">{children}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button color="red.9" loading={change.isPending} onClick={onConfirm}>
            {button}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function Buttons({ onClose, isBusy, button }: { onClose: () => void; isBusy: boolean; button: string }): ReactNode {
  return (
    <Group justify="flex-end" gap="xs">
      <Button variant="default" onClick={onClose}>
        Cancel
      </Button>
      <Button type="submit" loading={isBusy}>
        {button}
      </Button>
    </Group>
  );
}
