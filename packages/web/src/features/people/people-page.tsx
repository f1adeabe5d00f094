import { Box, Button, Group, Menu, Select, Stack, Text, Title } from '@mantine/core';
import { type Role, roles, type Team, type User } from '@quayside/contracts';
import { IconDots, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Chip, EmptyState, ErrorPanel, Loading, Page, RowButton, Table } from '../../ui/index.ts';
import { ConfirmDialog, InviteDialog, LinkDialog, TeamDialog } from './people-dialogs.tsx';
import { teamsQuery, usePeopleChanges, usersQuery } from './queries.ts';

type Open =
  | { kind: 'invite' }
  | { kind: 'link'; email: string; link: string; expiresAt: string }
  | { kind: 'team'; team?: Team }
  | { kind: 'remove user'; user: User }
  | { kind: 'remove team'; team: Team };

export function PeoplePage(): ReactNode {
  const users = useQuery(usersQuery);
  const teams = useQuery(teamsQuery);
  const changes = usePeopleChanges();
  const [open, setOpen] = useState<Open | undefined>();
  const close = (): void => setOpen(undefined);
  const showLink = (email: string) => (answer: { passwordLink: { link: string; expiresAt: string } }) =>
    setOpen({ kind: 'link', email, ...answer.passwordLink });
  const failed = [changes.patchUser, changes.link].find((change) => change.isError)?.error;
  return (
    <Page
      title="People"
      lead="Who may sign in, with which role, and the teams that own things and approve them."
      maxWidth={1100}
      actions={
        <Button leftSection={<IconPlus size={16} />} onClick={() => setOpen({ kind: 'invite' })}>
          Invite
        </Button>
      }
    >
      <Stack gap="xl">
        <div>
          <Title order={2} size="h3" mb="xs">
            Users
          </Title>
          {failed && <ErrorPanel error={failed} />}
          {users.isPending && <Loading label="Loading users" />}
          {users.isError && <ErrorPanel error={users.error} onRetry={() => void users.refetch()} />}
          {users.data && (
            <Box className="q-panel q-clip">
              <UsersTable
                users={users.data}
                onRole={(user, role) => changes.patchUser.mutate({ email: user.email, patch: { roles: [role] } })}
                onLink={(user) => changes.link.mutate(user.email, { onSuccess: showLink(user.email) })}
                onStatus={(user, status) => changes.patchUser.mutate({ email: user.email, patch: { status } })}
                onRemove={(user) => setOpen({ kind: 'remove user', user })}
              />
            </Box>
          )}
        </div>
        <div>
          <Group justify="space-between" mb="xs">
            <Title order={2} size="h3">
              Teams
            </Title>
            <Button size="xs" variant="default" onClick={() => setOpen({ kind: 'team' })}>
              New team
            </Button>
          </Group>
          {teams.isPending && <Loading label="Loading teams" />}
          {teams.isError && <ErrorPanel error={teams.error} onRetry={() => void teams.refetch()} />}
          {teams.data && (
            <Box className="q-panel q-clip">
              {teams.data.length === 0 ? (
                <EmptyState title="There are no teams">
                  Teams own entities, execute what is theirs, and approve.
                </EmptyState>
              ) : (
                <TeamsTable
                  teams={teams.data}
                  onEdit={(team) => setOpen({ kind: 'team', team })}
                  onRemove={(team) => setOpen({ kind: 'remove team', team })}
                />
              )}
            </Box>
          )}
        </div>
      </Stack>
      {open?.kind === 'invite' && (
        <InviteDialog
          teams={teams.data ?? []}
          invite={changes.invite}
          onClose={close}
          onInvited={(email, answer) => showLink(email)(answer)}
        />
      )}
      {open?.kind === 'link' && <LinkDialog {...open} onClose={close} />}
      {open?.kind === 'team' && (
        <TeamDialog team={open.team} users={users.data ?? []} save={changes.saveTeam} onClose={close} />
      )}
      {open?.kind === 'remove user' && (
        <ConfirmDialog
          title="Delete the user"
          button="Delete"
          change={changes.removeUser}
          onConfirm={() => changes.removeUser.mutate(open.user.email, { onSuccess: close })}
          onClose={close}
        >
          {open.user.email} is signed out and can not sign in any more. Their runs and the record of what they did stay.
        </ConfirmDialog>
      )}
      {open?.kind === 'remove team' && (
        <ConfirmDialog
          title="Delete the team"
          button="Delete"
          change={changes.removeTeam}
          onConfirm={() => changes.removeTeam.mutate(open.team.name, { onSuccess: close })}
          onClose={close}
        >
          Its {open.team.users.length} members stay users. Actions and approvals that name “{open.team.name}” reach
          nobody through it any more.
        </ConfirmDialog>
      )}
    </Page>
  );
}

function UsersTable({
  users,
  onRole,
  onLink,
  onStatus,
  onRemove,
}: {
  users: readonly User[];
  onRole: (user: User, role: Role) => void;
  onLink: (user: User) => void;
  onStatus: (user: User, status: 'ACTIVE' | 'DISABLED') => void;
  onRemove: (user: User) => void;
}): ReactNode {
  return (
    <Table label="Users" columns={['Person', 'Role', 'Teams', 'Status', 'Actions']}>
      {users.map((user) => (
        <tr key={user.id}>
          <td>
            <Text size="sm" fw={540}>
              {`${user.firstName} ${user.lastName}`.trim() || user.email}
            </Text>
            <Text size="xs" c="dimmed">
              {user.email}
            </Text>
          </td>
          <td>
            <Select
              size="xs"
              w={130}
              aria-label={`Role of ${user.email}`}
              allowDeselect={false}
              data={[...roles]}
              value={user.roles[0]?.name ?? 'Member'}
              onChange={(role) => role && onRole(user, role as Role)}
            />
          </td>
          <td>{user.teams.join(', ') || '–'}</td>
          <td>
            <UserStatus status={user.status} />
          </td>
          <td>
            <Menu position="bottom-end">
              <Menu.Target>
                <Button size="compact-xs" variant="default" aria-label={`More about ${user.email}`}>
                  <IconDots size={15} aria-hidden="true" />
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => onLink(user)}>New password link</Menu.Item>
                {user.status === 'ACTIVE' && <Menu.Item onClick={() => onStatus(user, 'DISABLED')}>Disable</Menu.Item>}
                {user.status === 'DISABLED' && <Menu.Item onClick={() => onStatus(user, 'ACTIVE')}>Enable</Menu.Item>}
                <Menu.Item c="var(--mantine-color-error)" onClick={() => onRemove(user)}>
                  Delete
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function UserStatus({ status }: { status: string }): ReactNode {
  if (status === 'ACTIVE') return <Chip tone="go">Active</Chip>;
  if (status === 'INVITED') return <Chip tone="wait">Invited</Chip>;
  return <Chip tone="stop">Disabled</Chip>;
}

function TeamsTable({
  teams,
  onEdit,
  onRemove,
}: {
  teams: readonly Team[];
  onEdit: (team: Team) => void;
  onRemove: (team: Team) => void;
}): ReactNode {
  return (
    <Table label="Teams" columns={['Team', 'Identifier', 'Members', 'Actions']}>
      {teams.map((team) => (
        <tr key={team.id}>
          <td>
            <Text size="sm" fw={540}>
              {team.name}
            </Text>
            {team.description && (
              <Text size="xs" c="dimmed">
                {team.description}
              </Text>
            )}
          </td>
          <td className="q-mono">{team.identifier}</td>
          <td>{team.users.map((user) => user.email).join(', ') || '–'}</td>
          <td>
            <Group gap={6} wrap="nowrap">
              <RowButton label={`Edit ${team.name}`} onClick={() => onEdit(team)}>
                Edit
              </RowButton>
              <RowButton label={`Delete ${team.name}`} isDanger onClick={() => onRemove(team)}>
                Delete
              </RowButton>
            </Group>
          </td>
        </tr>
      ))}
    </Table>
  );
}
