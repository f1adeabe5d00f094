import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { minPasswordLength } from '@quayside/contracts';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog, ErrorPanel } from '../../ui/index.ts';
import { useChangePassword } from './queries.ts';

export function ChangePasswordDialog({ onClose }: { onClose: () => void }): ReactNode {
  const change = useChangePassword();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [error, setError] = useState<string | undefined>();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (change.isPending) return;
    if (next.length < minPasswordLength) setError(`At least ${minPasswordLength} characters, please`);
    else change.mutate({ currentPassword: current, newPassword: next }, { onSuccess: onClose });
  };
  const toggle = (what: string) => ({ 'aria-label': `Show or hide the ${what} password`, tabIndex: 0 });
  return (
    <Dialog title="Change your password" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <Stack>
          {change.isError && <ErrorPanel error={change.error} />}
          <PasswordInput
            label="Current password"
            autoComplete="current-password"
            data-autofocus
            value={current}
            visibilityToggleButtonProps={toggle('current')}
            onChange={(event) => setCurrent(event.currentTarget.value)}
          />
          <PasswordInput
            label="New password"
            description={`At least ${minPasswordLength} characters. Your other sessions end.`}
            autoComplete="new-password"
            value={next}
            error={error}
            visibilityToggleButtonProps={toggle('new')}
            onChange={(event) => {
              setNext(event.currentTarget.value);
              setError(undefined);
            }}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={change.isPending}>
              Change
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
