import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { ErrorPanel, Panel } from '../../ui/index.ts';
import { useMay } from '../session/index.ts';
import { useDecide } from './queries.ts';

export function ApprovalPanel({ runId }: { runId: string }): ReactNode {
  const mayApprove = useMay('run:approve');
  const decide = useDecide(runId);
  const [comment, setComment] = useState('');
  const send = (status: 'APPROVE' | 'DECLINE') => () =>
    decide.mutate(comment ? { status, description: comment } : { status });
  return (
    <Panel title="Approval">
      <Stack gap="sm">
        <Text size="sm">
          {mayApprove
            ? 'This run starts only after somebody has approved it. Look at its inputs, then decide.'
            : 'This run starts only after somebody has approved it. Your role can not do that.'}
        </Text>
        {decide.isError && <ErrorPanel error={decide.error} />}
        {mayApprove && (
          <>
            <Textarea
              label="Comment"
              description="Optional; kept with the decision."
              autosize
              minRows={2}
              value={comment}
              onChange={(event) => setComment(event.currentTarget.value)}
            />
            <Group gap="xs">
              <Button leftSection={<IconCheck size={16} />} loading={decide.isPending} onClick={send('APPROVE')}>
                Approve
              </Button>
              <Button
                variant="default"
                leftSection={<IconX size={16} />}
                disabled={decide.isPending}
                onClick={send('DECLINE')}
              >
                Decline
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </Panel>
  );
}
