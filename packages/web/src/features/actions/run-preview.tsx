import { Alert, Stack, Text, Title } from '@mantine/core';
import { isApprovalByAll, type RunPreview } from '@quayside/contracts';
import { type ReactNode, useEffect, useRef } from 'react';
import { CodeBlock, Facts, JsonBlock } from '../../ui/index.ts';

/** What executing would do, told by the server that would do it: who is asked, who carries it out, and the exact request. */
export function PreviewOfRun({ preview }: { preview: RunPreview }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const { request, carrier, problem } = preview;
  return (
    <Stack gap="md">
      <Title order={2} ref={heading} tabIndex={-1} style={{ outline: 'none' }}>
        What executing would do
      </Title>
      {problem && (
        <Alert
          color="red"
          variant="light"
          role="alert"
          title="The run would fail at once"
          styles={{ title: { color: 'var(--mantine-color-error)' }, message: { color: 'var(--mantine-color-text)' } }}
        >
          {problem}
        </Alert>
      )}
      <Facts
        rows={[
          ['Approval', <Approval key="approval" preview={preview} />],
          ['Carried out by', carrier?.text],
          ['Agents', carrier && carrier.names.length > 0 ? carrier.names.join(', ') : undefined],
          ['Sent', request ? whatIsSent(request) : undefined],
        ]}
      />
      {request?.headers && <CodeBlock label="Headers" text={headerLines(request.headers)} />}
      {request && <JsonBlock label={request.url ? 'Body' : 'Content'} value={request.body ?? null} />}
      <Text size="xs" c="dimmed">
        Nothing has been sent. Secrets are shown as ******, and the run gets an id of its own.
      </Text>
    </Stack>
  );
}

function Approval({ preview: { run, approvers, logs } }: { preview: RunPreview }): ReactNode {
  if (run.status !== 'WAITING_FOR_APPROVAL') return 'Not needed: it starts at once.';
  if (approvers.length === 0) return ['Nobody could approve it.', ...logs].join(' ');
  const who = approvers.length <= namedApprovers ? approvers.join(', ') : `${approvers.length} people`;
  if (approvers.length === 1) return `By ${who}.`;
  return isApprovalByAll(run.requiredApproval) ? `By all of ${who}.` : `By one of ${who}.`;
}
const namedApprovers = 8;

function whatIsSent({ type, method, url }: NonNullable<RunPreview['request']>): ReactNode {
  return url ? (
    <span className="q-mono">
      {method ? `${method} ` : ''}
      {url}
    </span>
  ) : (
    type
  );
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}
