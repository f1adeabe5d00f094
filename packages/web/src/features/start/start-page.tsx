import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconKey } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { CodeBlock, ErrorPanel, Page } from '../../ui/index.ts';
import { useAgents } from '../agents/index.ts';
import { useCredentialChanges } from '../credentials/index.ts';
import { useMay, useMe } from '../session/index.ts';
import { actionCommand, agentCommand, reportCommand, type StartFacts, tokenCommand, verifyCode } from './commands.ts';

export function StartPage(): ReactNode {
  const { organization } = useMe();
  const mayCreate = useMay('credential:manage');
  const { create } = useCredentialChanges();
  const [credential, setCredential] = useState<{ id: string; secret: string | undefined } | undefined>();
  const agents = useAgents();
  const facts: StartFacts = {
    baseUrl: window.location.origin,
    orgId: organization.id,
    clientId: credential?.id,
    clientSecret: credential?.secret,
  };
  return (
    <Page
      title="Get started"
      lead="Three steps to connect your own agent and service. Each command can be copied as it stands."
      maxWidth={860}
    >
      <Stack gap="lg">
        <Step number={1} title="Start an agent where your service is">
          <AgentTick connected={agents?.connected.length} />
          <Text size="sm">
            The agent makes only outbound HTTPS calls to this portal. It needs a credential; the secret is shown once,
            so fill it in here or on the <Link to="/settings/credentials">credentials page</Link>.
          </Text>
          {create.isError && <ErrorPanel error={create.error} />}
          {credential ? (
            <Alert variant="light" color="harbour" styles={{ message: { color: 'var(--mantine-color-text)' } }}>
              The commands below now carry the new credential. <strong>Copy them before you leave this page:</strong>{' '}
              the secret is not shown again.
            </Alert>
          ) : (
            mayCreate && (
              <Group>
                <Button
                  leftSection={<IconKey size={16} />}
                  variant="light"
                  loading={create.isPending}
                  onClick={() =>
                    create.mutate('agent', { onSuccess: (app) => setCredential({ id: app.id, secret: app.secret }) })
                  }
                >
                  Create a credential for it
                </Button>
              </Group>
            )
          )}
          <CodeBlock label="Start the agent" text={agentCommand(facts)} />
        </Step>
        <Step number={2} title="Create an action that calls your service">
          <Text size="sm">
            Change the URL to an address that the agent can reach. With <code className="q-mono">"agent": true</code>{' '}
            the portal never connects to it itself.
          </Text>
          <CodeBlock label="Get a token" text={tokenCommand(facts)} />
          <CodeBlock label="Create the action" text={actionCommand(facts)} />
          <Text size="sm">
            Then press <strong>Create</strong> on the <Link to="/self-serve">self-service page</Link>.
          </Text>
        </Step>
        <Step number={3} title="Verify the signature, and report back">
          <Text size="sm">
            Your service can tell that a request comes from this portal, and is not an old one sent again.
          </Text>
          <CodeBlock label="Verify (Node.js)" text={verifyCode} />
          <CodeBlock label="Report a line and end the run" text={reportCommand(facts)} />
        </Step>
      </Stack>
    </Page>
  );
}

function Step({ number, title, children }: { number: number; title: string; children: ReactNode }): ReactNode {
  return (
    <section className="q-panel" aria-label={`Step ${number}: ${title}`}>
      <div className="q-panel-head">
        <span className="q-icon" style={{ width: 28, height: 28, fontWeight: 650 }} aria-hidden="true">
          {number}
        </span>
        <Title order={2}>{title}</Title>
      </div>
      <Stack className="q-panel-body" gap="sm">
        {children}
      </Stack>
    </section>
  );
}

function AgentTick({ connected }: { connected: number | undefined }): ReactNode {
  if (connected === undefined) return null;
  const isThere = connected > 0;
  return (
    <Group gap={6} role="status">
      <span className="q-chip" data-tone={isThere ? 'go' : 'wait'}>
        {isThere ? <IconCircleCheck size={14} aria-hidden="true" /> : <IconCircleDashed size={14} aria-hidden="true" />}
        <span>
          {isThere
            ? `${connected} agent${connected === 1 ? ' is' : 's are'} connected`
            : 'No agent yet; this changes by itself when one connects'}
        </span>
      </span>
      {isThere && <Link to="/agents">See agents</Link>}
    </Group>
  );
}
