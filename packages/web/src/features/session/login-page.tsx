import { Alert, Button, Center, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useRouter, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { BrandMark } from '../../ui/index.ts';
import { useLoginForm } from './use-login-form.ts';

export function LoginPage(): ReactNode {
  const router = useRouter();
  const { from } = useSearch({ from: '/login' });
  const form = useLoginForm(() => router.history.push(from ?? '/'));
  useEffect(() => {
    document.title = 'Sign in · Quayside';
  }, []);
  return (
    <Center component="main" mih="100dvh" px="md" py="xl">
      <Stack w="100%" maw={380} gap="lg">
        <Stack align="center" gap={6}>
          <BrandMark size={52} />
          <Title order={1} size="h1">
            Sign in to Quayside
          </Title>
          <Text c="dimmed" size="sm" ta="center">
            Your catalog, your actions, on your own ground.
          </Text>
        </Stack>
        <form className="q-panel" onSubmit={form.submit} noValidate aria-label="Sign in">
          <Stack p="lg" gap="md">
            {form.refusal && (
              <Alert
                color="red"
                variant="light"
                role="alert"
                styles={{ message: { color: 'var(--mantine-color-error)' } }}
              >
                {form.refusal}
              </Alert>
            )}
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
            <Button type="submit" size="md" loading={form.isBusy} fullWidth>
              Sign in
            </Button>
          </Stack>
        </form>
        <Text c="dimmed" size="xs" ta="center">
          Started it yourself? The first administrator's password is in the server's output.
        </Text>
      </Stack>
    </Center>
  );
}
