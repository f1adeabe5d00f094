import { Button, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Dialog, ErrorPanel } from '../../ui/index.ts';
import { useRemoveAction } from './builder/queries.ts';
import type { SelfServiceAction } from './queries.ts';

export function DeleteDialog({ action, onClose }: { action: SelfServiceAction; onClose: () => void }): ReactNode {
  const remove = useRemoveAction();
  const title = action.title ?? action.identifier;
  return (
    <Dialog title={`Delete “${title}”?`} onClose={onClose}>
      <Stack>
        {remove.isError && <ErrorPanel error={remove.error} />}
        <Text size="sm">Nobody can execute it any more. Its runs stay, and those in progress go on.</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" data-autofocus onClick={onClose}>
            Cancel
          </Button>
          <Button
            color="red.9"
            loading={remove.isPending}
            onClick={() => remove.mutate(action.identifier, { onSuccess: onClose })}
          >
            Delete the action
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
