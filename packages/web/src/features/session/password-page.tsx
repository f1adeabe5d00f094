import { Alert, Button, Center, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { BrandMark } from '../../ui/index.ts';
import { useNewPasswordForm } from './use-new-password-form.ts';

/** Where a password link leads: `/password#<token>`. The token stays in the fragment, which reaches no server log. */
export function PasswordPage(): ReactNode {
  const router = useRouter();
  const form = useNewPasswordForm(location.hash.slice(1), () => router.history.push('/'));
  useEffect(() => {
    document.title = 'Set your password · Quayside';
  }, []);
  return (
    <Center component="main" mih="100dvh" px="md" py="xl">
      <Stack w="100%" maw={380} gap="lg">
        <Stack align="center" gap={6}>
          <BrandMark size={52} />
          <Title order={1} size="h1">
            Set your password
          </Title>
          <Text c="dimmed" size="sm" ta="center">
            It takes the place of any you had. You are signed in with it at once.
          </Text>
        </Stack>
        <form className="q-panel" onSubmit={form.submit} noValidate aria-label="Set your password">
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
            <Button type="submit" size="md" loading={form.isBusy} fullWidth>
              Set the password
            </Button>
          </Stack>
        </form>
      </Stack>
    </Center>
  );
}
