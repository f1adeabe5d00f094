import { ActionIcon, Box, Button, Group, Text, TextInput, Tooltip, VisuallyHidden } from '@mantine/core';
import { runRoutes } from '@quayside/contracts';
import {
  IconArrowDown,
  IconChevronDown,
  IconChevronUp,
  IconClock,
  IconDownload,
  IconSearch,
  IconTextWrap,
} from '@tabler/icons-react';
import { Fragment, type KeyboardEvent, type ReactNode } from 'react';
import { urlOf } from '../../api/index.ts';
import { CopyButton, formatInstant } from '../../ui/index.ts';
import { asText, plainText, splitByMatch } from './log-model.ts';
import './log-viewer.css';
import type { LogWindow } from './log-window.ts';
import { useLogViewer } from './use-log-viewer.ts';

/** Lines of a run: numbered, searchable, following the end until one scrolls up. Only what is in sight is in the page. */
export function LogViewer({ runId, log: held, isLive }: { runId: string; log: LogWindow; isLive: boolean }): ReactNode {
  const log = useLogViewer(runId, held);
  const onSearchKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    if (event.shiftKey) log.previous();
    else log.next();
  };
  return (
    <Box>
      <Group px="md" py={8} gap="xs" style={{ borderBottom: '1px solid var(--q-line)' }}>
        <TextInput
          size="xs"
          flex="1 1 150px"
          maw={280}
          aria-label="Search the log"
          placeholder="Search the log"
          leftSection={<IconSearch size={14} aria-hidden="true" />}
          value={log.needle}
          onChange={(event) => log.search(event.currentTarget.value)}
          onKeyDown={onSearchKey}
        />
        {log.needle && (
          <Group gap={4} wrap="nowrap">
            <Text size="xs" c="dimmed" role="status">
              {log.matches === undefined
                ? 'Searching …'
                : log.matches.count === 0
                  ? 'No line matches'
                  : `${(log.match + 1).toLocaleString()} of ${log.matches.count.toLocaleString()}`}
            </Text>
            <Tool label="Previous match" onClick={log.previous} isDisabled={!log.matches?.count}>
              <IconChevronUp size={16} />
            </Tool>
            <Tool label="Next match" onClick={log.next} isDisabled={!log.matches?.count}>
              <IconChevronDown size={16} />
            </Tool>
          </Group>
        )}
        <Group gap={4} ml="auto" wrap="nowrap">
          <Tool label="Show times" isPressed={log.areTimesShown} onClick={log.toggleTimes}>
            <IconClock size={16} />
          </Tool>
          <Tool label="Wrap long lines" isPressed={log.isWrapped} onClick={log.toggleWrap}>
            <IconTextWrap size={16} />
          </Tool>
          {held.isWhole && <CopyButton label="Copy the log" value={() => asText(held.lines())} />}
          <Tooltip label="Download the log">
            <ActionIcon
              component="a"
              href={urlOf(runRoutes.logText, { params: { run_id: runId } })}
              download={`${runId}.log`}
              variant="subtle"
              color="gray"
              c="dimmed"
              aria-label="Download the log"
            >
              <IconDownload size={16} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <Box pos="relative">
        <section
          ref={log.scroller}
          className="q-log"
          onScroll={log.onScroll}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so it must be reachable by keyboard (WCAG 2.1.1)
          tabIndex={0}
          aria-label="Log"
          {...(log.isWrapped ? { 'data-wrap': true } : {})}
        >
          {log.total === 0 && (
            <Text c="dimmed" size="sm" p="md" ff="text">
              {isLive ? 'No lines yet. They appear here as they are reported.' : 'This run reported no lines.'}
            </Text>
          )}
          {log.before > 0 && (
            <Part label={`Earlier: ${log.before.toLocaleString()} lines before these`} onClick={log.earlier} />
          )}
          <div style={{ height: log.rows.getTotalSize(), position: 'relative' }}>
            {log.rows.getVirtualItems().map((row) => {
              const number = log.before + row.index + 1;
              const line = held.line(number);
              return (
                <div
                  key={row.key}
                  ref={log.rows.measureElement}
                  data-index={row.index}
                  className="q-log-row"
                  {...(log.current === number ? { 'data-current': true } : {})}
                  style={{ transform: `translateY(${row.start}px)` }}
                >
                  <a
                    className="q-log-number"
                    href={`#L${number}`}
                    // Thousands of stops on the way through the page by keyboard would be no help.
                    tabIndex={-1}
                    aria-label={`Link to line ${number}`}
                    onClick={(event) => {
                      event.preventDefault();
                      log.link(number);
                    }}
                  >
                    {number}
                  </a>
                  {log.areTimesShown && line && (
                    <time className="q-log-time" dateTime={line.createdAt} title={formatInstant(line.createdAt)}>
                      {new Date(line.createdAt).toLocaleTimeString(undefined, { hour12: false })}
                    </time>
                  )}
                  <span className="q-log-text">
                    {line ? <Marked text={plainText(line.message)} needle={log.needle} /> : '…'}
                  </span>
                </div>
              );
            })}
          </div>
          {log.before + log.count < log.total && (
            // Above the button that leads back to the end.
            <Box pb={48}>
              <Part
                label={`Later: ${(log.total - log.before - log.count).toLocaleString()} lines after these`}
                onClick={log.later}
              />
            </Box>
          )}
        </section>
        {!log.isFollowing && (isLive || log.newLines > 0) && (
          <Button
            size="xs"
            radius="xl"
            pos="absolute"
            bottom={12}
            left="50%"
            style={{ transform: 'translateX(-50%)' }}
            leftSection={<IconArrowDown size={14} />}
            onClick={log.follow}
          >
            {log.newLines > 0 ? `${log.newLines} new line${log.newLines === 1 ? '' : 's'}` : 'Follow'}
          </Button>
        )}
      </Box>
      <VisuallyHidden role="status">{isLive ? '' : `The log has ${log.total} lines.`}</VisuallyHidden>
    </Box>
  );
}

/** A log is shown in parts when it has more lines than a browser can scroll over. */
function Part({ label, onClick }: { label: string; onClick: () => void }): ReactNode {
  return (
    <Button variant="subtle" size="xs" fullWidth radius={0} onClick={onClick}>
      {label}
    </Button>
  );
}

function Marked({ text, needle }: { text: string; needle: string }): ReactNode {
  if (!needle) return text;
  return splitByMatch(text, needle).map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no identity but their place
    index % 2 === 1 ? <mark key={index}>{part}</mark> : <Fragment key={index}>{part}</Fragment>,
  );
}

function Tool({
  label,
  onClick,
  isPressed,
  isDisabled = false,
  children,
}: {
  label: string;
  onClick: () => void;
  isPressed?: boolean;
  isDisabled?: boolean;
  children: ReactNode;
}): ReactNode {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant={isPressed ? 'light' : 'subtle'}
        color={isPressed ? 'harbour' : 'gray'}
        {...(isPressed ? {} : { c: 'dimmed' })}
        aria-label={label}
        {...(isPressed === undefined ? {} : { 'aria-pressed': isPressed })}
        disabled={isDisabled}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
