import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ErrorPanel, Loading, Page, Panel } from '../../ui/index.ts';
import { useLack } from '../session/index.ts';
import { type Draft, fromDraft, type Kind, kinds, toDraft } from './draft.ts';
import { type KeepingSettings, keepingQuery, useSaveKeeping } from './queries.ts';

const words: Readonly<Record<Kind, { label: string; description: string }>> = {
  deliveriesDays: {
    label: 'Deliveries, in days',
    description: 'The ledger: every attempt with request and answer. What is under way stays.',
  },
  messageBodiesDays: {
    label: 'Bodies of messages, in days',
    description: 'What notifications and the change log said. Without it they can not be replayed.',
  },
  runLogsDays: {
    label: 'Logs of runs, in days',
    description: 'Counted from the end of the run. The run itself stays.',
  },
  auditDays: {
    label: 'Audit log, in days',
    description:
      'The oldest records go, with the history of entities; the chain of checkpoints stays whole and says so.',
  },
};

/** How long what grows is kept, and who is told of what was given up. */
export function RetentionPage(): ReactNode {
  const settings = useQuery(keepingQuery);
  const lack = useLack('organization:update');
  const mayUpdate = lack === undefined;
  return (
    <Page title="Retention" lead="How long what grows with every run is kept, and who is told of what was given up.">
      {settings.isPending && <Loading label="Loading the settings" />}
      {settings.isError && <ErrorPanel error={settings.error} onRetry={() => void settings.refetch()} />}
      {settings.data && (
        <Stack gap="md">
          {lack && <Text size="sm">{lack}</Text>}
          <Days settings={settings.data} mayUpdate={mayUpdate} />
          <DeadLetters settings={settings.data} mayUpdate={mayUpdate} />
        </Stack>
      )}
    </Page>
  );
}

interface Part {
  settings: KeepingSettings;
  mayUpdate: boolean;
}

function Days({ settings, mayUpdate }: Part): ReactNode {
  const save = useSaveKeeping();
  const [draft, setDraft] = useState<Draft>(() => toDraft(settings.retention));
  const [mistakes, setMistakes] = useState<Partial<Record<Kind, string>>>({});
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const read = fromDraft(draft);
    setMistakes('mistakes' in read ? read.mistakes : {});
    if ('retention' in read) save.mutate(read);
  };
  return (
    <Panel title="Kept for">
      <form onSubmit={submit} noValidate>
        <Stack>
          {save.isError && <ErrorPanel error={save.error} />}
          {kinds.map((kind) => (
            <TextInput
              key={kind}
              {...words[kind]}
              inputMode="numeric"
              placeholder="For ever"
              disabled={!mayUpdate}
              value={draft[kind]}
              error={mistakes[kind]}
              onChange={(event) => {
                const { value } = event.currentTarget;
                setDraft((all) => ({ ...all, [kind]: value }));
              }}
            />
          ))}
          <Text size="xs" c="dimmed">
            Runs and the catalog are not touched by this.
          </Text>
          <Saving isShown={mayUpdate} isBusy={save.isPending} isDone={save.isSuccess} />
        </Stack>
      </form>
    </Panel>
  );
}

function DeadLetters({ settings, mayUpdate }: Part): ReactNode {
  const save = useSaveKeeping();
  const [url, setUrl] = useState(settings.deadLetterUrl ?? '');
  return (
    <Panel title="Alert for dead letters">
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ deadLetterUrl: url.trim() || null });
        }}
      >
        <Stack>
          {save.isError && <ErrorPanel error={save.error} />}
          <TextInput
            label="URL"
            type="url"
            placeholder="Nobody is told"
            description="Gets a signed request about each delivery that is given up, as it happens."
            disabled={!mayUpdate}
            value={url}
            onChange={(event) => setUrl(event.currentTarget.value)}
          />
          <Saving isShown={mayUpdate} isBusy={save.isPending} isDone={save.isSuccess} />
        </Stack>
      </form>
    </Panel>
  );
}

function Saving({ isShown, isBusy, isDone }: { isShown: boolean; isBusy: boolean; isDone: boolean }): ReactNode {
  if (!isShown) return null;
  return (
    <Group justify="flex-end" gap="sm">
      <Text size="xs" c="dimmed" role="status">
        {isDone && !isBusy ? 'Saved.' : ''}
      </Text>
      <Button type="submit" loading={isBusy}>
        Save
      </Button>
    </Group>
  );
}
