import { Alert, Button, Center, Stack, Text, Title } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect } from 'react';
import { BrandMark } from '../../ui/index.ts';

/** A page of its own with one form: what is seen before there is a session. */
export function Entrance({
  title,
  heading = title,
  lead,
  form,
  submitLabel,
  children,
  below,
}: {
  title: string;
  heading?: string;
  lead: string;
  form: { submit: (event: FormEvent) => void; refusal: ReactNode; isBusy: boolean };
  submitLabel: string;
  children: ReactNode;
  below?: ReactNode;
}): ReactNode {
  useEffect(() => {
    document.title = `${title} · Quayside`;
  }, [title]);
  return (
    <Center component="main" mih="100dvh" px="md" py="xl">
      <Stack w="100%" maw={380} gap="lg">
        <Stack align="center" gap={6}>
          <BrandMark size={52} />
          <Title order={1} size="h1">
            {heading}
          </Title>
          <Text c="dimmed" size="sm" ta="center">
            {lead}
          </Text>
        </Stack>
        <form className="q-panel" onSubmit={form.submit} noValidate aria-label={title}>
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
            {children}
            <Button type="submit" size="md" loading={form.isBusy} fullWidth>
              {submitLabel}
            </Button>
          </Stack>
        </form>
        {below && (
          <Text c="dimmed" size="xs" ta="center">
            {below}
          </Text>
        )}
      </Stack>
    </Center>
  );
}
