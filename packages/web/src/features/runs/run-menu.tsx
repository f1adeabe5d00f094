import { ActionIcon, Button, Group, Menu, Stack, Text } from '@mantine/core';
import { isFinal, type Run } from '@quayside/contracts';
import { IconDots } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Dialog, ErrorPanel } from '../../ui/index.ts';
import { useMe } from '../session/index.ts';
import { useEndRun } from './queries.ts';

type End = 'withdraw' | 'succeed' | 'fail';

const words: Record<End, { item: string; title: string; text: string; status: 'SUCCESS' | 'FAILURE' }> = {
  withdraw: {
    item: 'Withdraw',
    title: 'Withdraw this run?',
    text: 'It ends, and nobody can approve it any more.',
    status: 'FAILURE',
  },
  succeed: {
    item: 'End as success',
    title: 'End this run as a success?',
    text: 'For a backend that never reported. What it still does is not stopped.',
    status: 'SUCCESS',
  },
  fail: {
    item: 'End as failure',
    title: 'End this run as a failure?',
    text: 'For a backend that never reported. What it still does is not stopped.',
    status: 'FAILURE',
  },
};

/** What a person may do to a run that goes on: its requester withdraws it, an administrator ends it. */
export function RunMenu({ run }: { run: Run }): ReactNode {
  const { user } = useMe();
  const [asked, setAsked] = useState<End | undefined>();
  const isAdmin = user.roles.some((role) => role.name === 'Admin');
  const isWaiting = run.status === 'WAITING_FOR_APPROVAL';
  const ends: End[] = isWaiting
    ? isAdmin || run.createdBy === user.id
      ? ['withdraw']
      : []
    : isAdmin
      ? ['succeed', 'fail']
      : [];
  if (isFinal(run.status) || ends.length === 0) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More for this run">
            <IconDots size={17} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {ends.map((end) => (
            <Menu.Item key={end} onClick={() => setAsked(end)}>
              {words[end].item}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {asked && <EndDialog run={run} end={asked} onClose={() => setAsked(undefined)} />}
    </>
  );
}

function EndDialog({ run, end, onClose }: { run: Run; end: End; onClose: () => void }): ReactNode {
  const change = useEndRun(run.id);
  const { title, text, item, status } = words[end];
  return (
    <Dialog title={title} onClose={onClose}>
      <Stack>
        {change.isError && <ErrorPanel error={change.error} />}
        <Text size="sm">{text}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" data-autofocus onClick={onClose}>
            Cancel
          </Button>
          <Button loading={change.isPending} onClick={() => change.mutate(status, { onSuccess: onClose })}>
            {item}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
