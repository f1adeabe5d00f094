import { ActionIcon, Box, Button, Group, Menu, Text, Title } from '@mantine/core';
import type { Verdict } from '@quayside/contracts';
import { IconBolt, IconDots, IconStar, IconStarFilled } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useId } from 'react';
import { Chip, IconTile } from '../../ui/index.ts';
import { useLack, useMay } from '../session/index.ts';
import { operationWords } from './group-actions.ts';
import type { SelfServiceAction } from './queries.ts';
import { reasonOf } from './verdict-words.ts';

/** What pressing the button does, in a word that the button does not say already. */
const effects = { CREATE: 'Creates', 'DAY-2': 'Changes', DELETE: 'Deletes' } as const;

interface ActionCardProps {
  action: SelfServiceAction;
  blueprint: string;
  headingOrder: 2 | 3;
  /** Why the person may not execute it. */
  refused: Verdict | undefined;
  isFavourite: boolean;
  onFavourite: () => void;
  onLink: () => void;
  onDelete: () => void;
}

export function ActionCard(props: ActionCardProps): ReactNode {
  const { action, blueprint, headingOrder, isFavourite, refused } = props;
  const titleId = useId();
  const reasonId = useId();
  const reason = useLack('action:execute') ?? (refused && reasonOf(refused));
  const title = action.title ?? action.identifier;
  const word = action.trigger.actionCardButtonText ?? operationWords[action.trigger.operation];
  return (
    <Box component="li" className="q-panel" p="md" style={{ display: 'flex', flexDirection: 'column', gap: 10 }}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <IconTile name={action.icon} fallback={IconBolt} size={38} />
        <Box miw={0} flex={1}>
          <Group gap={4} wrap="nowrap" align="flex-start">
            <Title order={headingOrder} size="h3" id={titleId} className="q-wrap" flex={1}>
              {title}
            </Title>
            <Group gap={0} wrap="nowrap" mt={-4} mr={-6}>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-pressed={isFavourite}
                aria-label={`Favourite: ${title}`}
                onClick={props.onFavourite}
              >
                {isFavourite ? <IconStarFilled size={17} className="q-star" /> : <IconStar size={17} />}
              </ActionIcon>
              <CardMenu action={action} title={title} onLink={props.onLink} onDelete={props.onDelete} />
            </Group>
          </Group>
          <Text size="sm" c="dimmed" lineClamp={3} mt={2}>
            {action.description ?? 'No description.'}
          </Text>
        </Box>
      </Group>
      <Group justify="space-between" mt="auto" wrap="nowrap">
        <Group gap={6}>
          <Chip tone={action.trigger.operation === 'DELETE' ? 'stop' : 'calm'}>
            {`${effects[action.trigger.operation]} ${blueprint}`.trim()}
          </Chip>
          {action.requiredApproval && <Chip tone="wait">Needs approval</Chip>}
        </Group>
        {reason === undefined ? (
          <Button
            size="xs"
            variant="light"
            aria-label={`${word}: ${title}`}
            renderRoot={(root) => (
              <Link
                {...root}
                to="/self-serve"
                search={(all) => ({ ...all, action: action.identifier })}
                resetScroll={false}
              />
            )}
          >
            {word}
          </Button>
        ) : (
          // Not `disabled`: it can be reached, and then its reason is read.
          <Button
            size="xs"
            variant="light"
            data-disabled
            aria-disabled
            aria-label={`${word}: ${title}`}
            aria-describedby={reasonId}
          >
            {word}
          </Button>
        )}
      </Group>
      {reason !== undefined && (
        <Text size="xs" c="dimmed" id={reasonId} className="q-wrap">
          {reason}
        </Text>
      )}
    </Box>
  );
}

function CardMenu({
  action,
  title,
  onLink,
  onDelete,
}: {
  action: SelfServiceAction;
  title: string;
  onLink: () => void;
  onDelete: () => void;
}): ReactNode {
  const mayUpdate = useMay('action:update');
  const mayCreate = useMay('action:create');
  const mayDelete = useMay('action:delete');
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`More for ${title}`}>
          <IconDots size={17} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item renderRoot={(root) => <Link {...root} to="/runs" search={{ action: action.identifier }} />}>
          Runs
        </Menu.Item>
        <Menu.Item onClick={onLink}>Link to the form</Menu.Item>
        {mayUpdate && (
          <Menu.Item
            renderRoot={(root) => (
              <Link {...root} to="/self-serve/$action/edit" params={{ action: action.identifier }} />
            )}
          >
            Edit
          </Menu.Item>
        )}
        {mayCreate && (
          <Menu.Item
            renderRoot={(root) => <Link {...root} to="/self-serve/new" search={{ from: action.identifier }} />}
          >
            Duplicate
          </Menu.Item>
        )}
        {mayDelete && (
          <>
            <Menu.Divider />
            <Menu.Item c="var(--mantine-color-error)" onClick={onDelete}>
              Delete
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
