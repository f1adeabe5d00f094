import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { type Approver, isApprovalByAll, type Run } from '@quayside/contracts';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ErrorPanel, Panel } from '../../ui/index.ts';
import { useMe } from '../session/index.ts';
import { approversQuery, useDecide } from './queries.ts';

/** Who is asked, who has decided, and for those who are asked, the decision. */
export function ApprovalPanel({ run }: { run: Run }): ReactNode {
  const { user } = useMe();
  const approvers = useQuery(approversQuery(run.id));
  const asked = approvers.data ?? [];
  const mine = asked.find((approver) => approver.userId === user.id);
  return (
    <Panel title="Approval">
      <Stack gap="sm">
        <Text size="sm">
          This run starts only after{' '}
          {isApprovalByAll(run.requiredApproval) ? 'all of its approvers have approved it' : 'somebody has approved it'}
          .
        </Text>
        {approvers.isError && <ErrorPanel error={approvers.error} />}
        {approvers.data && <Approvers approvers={asked} />}
        {mine?.state === 'PENDING' && <Decision runId={run.id} />}
        {mine?.state === 'APPROVED' && <Text size="sm">You have approved it.</Text>}
      </Stack>
    </Panel>
  );
}

const stateWords = { PENDING: 'is asked', APPROVED: 'approved', DECLINED: 'declined' } as const;

function Approvers({ approvers }: { approvers: readonly Approver[] }): ReactNode {
  if (approvers.length === 0)
    return (
      <Text size="sm">
        Nobody is asked: the action's permissions name no approver. An administrator can change them.
      </Text>
    );
  return (
    <ul className="q-plain">
      {approvers.slice(0, 20).map((approver) => (
        <li key={approver.userId}>
          <Text size="sm" span fw={540}>
            {approver.email || approver.userId}
          </Text>{' '}
          <Text size="sm" span c="dimmed">
            {stateWords[approver.state]}
            {approver.description ? `: ${approver.description}` : ''}
          </Text>
        </li>
      ))}
      {approvers.length > 20 && (
        <li>
          <Text size="sm" c="dimmed">
            and {approvers.length - 20} others
          </Text>
        </li>
      )}
    </ul>
  );
}

/** `subject` names the run where several decisions stand on one page. */
export function Decision({ runId, subject }: { runId: string; subject?: string }): ReactNode {
  const decide = useDecide(runId);
  const [comment, setComment] = useState('');
  const send = (status: 'APPROVE' | 'DECLINE') => () =>
    decide.mutate(comment ? { status, description: comment } : { status });
  return (
    <>
      {decide.isError && <ErrorPanel error={decide.error} />}
      <Textarea
        label="Comment"
        description="Optional; kept with the decision."
        autosize
        minRows={2}
        value={comment}
        onChange={(event) => setComment(event.currentTarget.value)}
      />
      <Group gap="xs">
        <Button
          aria-label={subject && `Approve: ${subject}`}
          leftSection={<IconCheck size={16} />}
          loading={decide.isPending}
          onClick={send('APPROVE')}
        >
          Approve
        </Button>
        <Button
          variant="default"
          aria-label={subject && `Decline: ${subject}`}
          leftSection={<IconX size={16} />}
          disabled={decide.isPending}
          onClick={send('DECLINE')}
        >
          Decline
        </Button>
      </Group>
    </>
  );
}
