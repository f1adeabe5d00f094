import { ActionIcon, Indicator, Popover, Text, Title } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { isFinal, type Run } from '@quayside/contracts';
import { IconBolt, IconClockPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { Ago, IconTile, StatusChip } from '../../ui/index.ts';
import { useMe } from '../session/index.ts';
import { latestRunsQuery } from './queries.ts';

/** What the person asked for last, from every page; a badge counts the runs that ended since one looked. */
export function LatestRuns(): ReactNode {
  const { user } = useMe();
  const [isOpen, setOpen] = useState(false);
  const { data: runs = [] } = useQuery(latestRunsQuery(user.email));
  // Kept in this browser, with the person: a shared one has several.
  const [seen, setSeen] = useLocalStorage({
    key: `quayside.runs-seen ${user.id}`,
    defaultValue: '',
    getInitialValueInEffect: false,
  });
  const news = runs.filter((run) => isFinal(run.status) && run.updatedAt > seen).length;
  const toggle = (): void => {
    setOpen(!isOpen);
    setSeen([seen, ...runs.map((run) => run.updatedAt)].sort().at(-1) ?? seen);
  };
  return (
    <Indicator label={news} disabled={news === 0} size={17} offset={3} color="harbour.7">
      <Popover position="bottom-end" width={340} opened={isOpen} onChange={setOpen} trapFocus withinPortal={false}>
        <Popover.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={34}
            aria-label={news === 0 ? 'My latest runs' : `My latest runs, ${news} ended`}
            onClick={toggle}
          >
            <IconClockPlay size={20} />
          </ActionIcon>
        </Popover.Target>
        <Popover.Dropdown aria-label="My latest runs" p="sm">
          <Title order={2} size="h3" mb="xs">
            My latest runs
          </Title>
          {runs.length === 0 && (
            <Text size="sm" c="dimmed">
              You have not executed anything yet.
            </Text>
          )}
          <ul className="q-plain q-latest">
            {runs.map((run) => (
              <Latest key={run.id} run={run} onFollow={() => setOpen(false)} />
            ))}
          </ul>
          <Text size="sm" mt="xs">
            <Link to="/runs" search={{ mine: true }} onClick={() => setOpen(false)}>
              My run history
            </Link>
          </Text>
        </Popover.Dropdown>
      </Popover>
    </Indicator>
  );
}

function Latest({ run, onFollow }: { run: Run; onFollow: () => void }): ReactNode {
  return (
    <li>
      <IconTile name={run.action.icon} fallback={IconBolt} size={28} />
      <div>
        <Link to="/runs/$runId" params={{ runId: run.id }} className="q-wrap" onClick={onFollow}>
          {run.action.title ?? run.action.identifier}
        </Link>
        <Text size="xs" c="dimmed">
          <Ago at={run.createdAt} />
        </Text>
      </div>
      <StatusChip status={run.status} />
    </li>
  );
}
