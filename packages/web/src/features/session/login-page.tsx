import { PasswordInput, TextInput } from '@mantine/core';
import { useRouter, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Entrance } from './entrance.tsx';
import { useLoginForm } from './use-login-form.ts';

export function LoginPage(): ReactNode {
  const router = useRouter();
  const { from } = useSearch({ from: '/login' });
  const form = useLoginForm(() => router.history.push(from ?? '/'));
  return (
    <Entrance
      title="Sign in"
      heading="Sign in to Quayside"
      lead="Your catalog, your actions, on your own ground."
      form={form}
      submitLabel="Sign in"
      below="Started it yourself? The first administrator's password is in the server's output."
    >
      <TextInput
        ref={form.refs.email}
        label="E-mail"
        type="email"
        autoComplete="username"
        data-autofocus
        autoFocus
        value={form.values.email}
        error={form.errors.email}
        onChange={(event) => form.set('email')(event.currentTarget.value)}
      />
      <PasswordInput
        ref={form.refs.password}
        label="Password"
        autoComplete="current-password"
        value={form.values.password}
        error={form.errors.password}
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
        onChange={(event) => form.set('password')(event.currentTarget.value)}
      />
    </Entrance>
  );
}
