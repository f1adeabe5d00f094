import { PasswordInput } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Entrance } from './entrance.tsx';
import { useNewPasswordForm } from './use-new-password-form.ts';

/** Where a password link leads: `/password#<token>`. The token stays in the fragment, which reaches no server log. */
export function PasswordPage(): ReactNode {
  const router = useRouter();
  const form = useNewPasswordForm(location.hash.slice(1), () => router.history.push('/'));
  return (
    <Entrance
      title="Set your password"
      lead="It takes the place of any you had. You are signed in with it at once."
      form={form}
      submitLabel="Set the password"
    >
      <PasswordInput
        ref={form.field}
        label="New password"
        description={`At least ${form.minLength} characters`}
        autoComplete="new-password"
        autoFocus
        value={form.password}
        error={form.error}
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
        onChange={(event) => form.set(event.currentTarget.value)}
      />
    </Entrance>
  );
}
