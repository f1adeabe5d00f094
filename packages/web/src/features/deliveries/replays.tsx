import { Box, Button, Group, Progress, Stack, Text } from '@mantine/core';
import type { Replay } from '@quayside/contracts';
import { IconRepeat } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { Ago, Dialog, ErrorPanel, formatInstant, Loading } from '../../ui/index.ts';
import { countQuery, type LedgerFilters, replaysQuery, useCancelReplay, useReplay, useReplayMany } from './queries.ts';
import { progressOf, replayTitle } from './words.ts';

/** One delivery, once more. */
export function ReplayButton({ subject, isDisabled }: { subject: string; isDisabled: boolean }): ReactNode {
  const replay = useReplay();
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRepeat size={14} aria-hidden="true" />}
          loading={replay.isPending}
          disabled={isDisabled}
          onClick={() => replay.mutate(subject)}
        >
          Replay
        </Button>
        <Text size="xs" c="dimmed">
          {isDisabled
            ? 'It is being delivered at this moment.'
            : 'The same request under the same key; no status changes by it.'}
        </Text>
      </Group>
      {replay.isError && <ErrorPanel error={replay.error} />}
    </Stack>
  );
}

/** All that matches the filters, after a look at how much that is. */
export function ReplayManyButton({ filters }: { filters: LedgerFilters }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconRepeat size={16} aria-hidden="true" />}
        disabled={Object.keys(filters).length === 0}
        onClick={() => setOpen(true)}
      >
        Replay all that match
      </Button>
      {isOpen && <ReplayManyDialog filters={filters} onClose={() => setOpen(false)} />}
    </>
  );
}

function ReplayManyDialog({ filters, onClose }: { filters: LedgerFilters; onClose: () => void }): ReactNode {
  const count = useInfiniteQuery(countQuery(filters));
  const counted = count.data?.pages.reduce((sum, page) => sum + page.count, 0) ?? 0;
  const searchedTo = count.data?.pages.at(-1)?.searchedTo;
  const replay = useReplayMany();
  return (
    <Dialog title="Replay all that match" onClose={onClose}>
      <Stack>
        {count.isPending && <Loading label="Counting" />}
        {count.isError && <ErrorPanel error={count.error} />}
        {count.data && (
          <Text size="sm">
            {searchedTo ? 'So far ' : ''}
            {counted.toLocaleString()} {counted === 1 ? 'delivery matches' : 'deliveries match'} by the last attempt.
            Each is sent once more: the same request, under the same key. No status of a run changes by it.
          </Text>
        )}
        {searchedTo && (
          <Group gap="xs">
            <Text size="sm" c="dimmed">
              Counted up to {formatInstant(searchedTo)}; a replay goes on to the end.
            </Text>
            <Button
              size="xs"
              variant="default"
              loading={count.isFetchingNextPage}
              onClick={() => void count.fetchNextPage()}
            >
              Count on
            </Button>
          </Group>
        )}
        {replay.isError && <ErrorPanel error={replay.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            loading={replay.isPending}
            disabled={!count.data || (counted === 0 && !searchedTo)}
            onClick={() => replay.mutate(filters, { onSuccess: onClose })}
          >
            Replay
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

const shown = 3;

/** How far the latest ones have come. */
export function ReplaysPanel(): ReactNode {
  const { data = [] } = useQuery(replaysQuery);
  if (data.length === 0) return null;
  return (
    <Box className="q-panel" p="md" mb="md" component="section" aria-label="Latest replays">
      <Stack gap="sm">
        {data.slice(0, shown).map((replay) => (
          <ReplayProgress key={replay.id} replay={replay} />
        ))}
      </Stack>
    </Box>
  );
}

function ReplayProgress({ replay }: { replay: Replay }): ReactNode {
  const cancel = useCancelReplay();
  const progress = progressOf(replay);
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          <Link to="/deliveries" search={{ replay: replay.id }}>
            {replayTitle(replay)}
          </Link>{' '}
          <span className="q-dim">
            for {replay.by}, <Ago at={replay.createdAt} />
          </span>
        </Text>
        {replay.state === 'running' && (
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Cancel: ${replayTitle(replay)}`}
            loading={cancel.isPending}
            onClick={() => cancel.mutate(replay.id)}
          >
            Cancel
          </Button>
        )}
      </Group>
      <Progress my={6} size="sm" value={progress.percent} aria-label={`Progress of ${replayTitle(replay)}`} />
      <Text size="xs" c="dimmed" role="status">
        {progress.text}
      </Text>
      {cancel.isError && <ErrorPanel error={cancel.error} />}
    </div>
  );
}
