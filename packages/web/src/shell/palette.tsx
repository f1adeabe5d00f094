import { Modal, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { glyphOf } from '../ui/icon.tsx';
import { useFocusReturn } from '../ui/use-focus-return.ts';
import { type Command, findCommands } from './commands.ts';
import { useCommands } from './use-commands.ts';

/** Ctrl/Cmd-K. A combobox over a list: the text keeps the focus, the arrows move the choice, Enter takes it. */
export function Palette({ onClose }: { onClose: () => void }): ReactNode {
  useFocusReturn();
  return (
    <Modal.Root opened onClose={onClose} padding={0} size={560} yOffset="12vh">
      <Modal.Overlay />
      <Modal.Content aria-label="Command palette">
        <Modal.Body>
          <PaletteBody onClose={onClose} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function PaletteBody({ onClose }: { onClose: () => void }): ReactNode {
  const commands = useCommands();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const found = findCommands(commands, text);
  const chosen = Math.min(at, found.length - 1);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  const take = (command: Command | undefined): void => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const last = found.length - 1;
      const next = chosen + step;
      setAt(
        Math.abs(step) === 1 ? (next + found.length) % Math.max(found.length, 1) : Math.max(0, Math.min(last, next)),
      );
    } else if (event.key === 'Enter') {
      event.preventDefault();
      take(found[chosen]);
    }
  };
  return (
    <>
      <TextInput
        variant="unstyled"
        size="md"
        px="md"
        py={4}
        data-autofocus
        role="combobox"
        aria-label="Find an action, a blueprint or a page"
        aria-expanded="true"
        aria-controls={listId}
        {...(found[chosen] ? { 'aria-activedescendant': `${listId}-${chosen}` } : {})}
        placeholder="Find an action, a blueprint or a page"
        leftSection={<IconSearch size={18} aria-hidden="true" />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div
        id={listId}
        ref={list}
        role="listbox"
        aria-label="Results"
        style={{ maxHeight: 380, overflowY: 'auto', padding: 6, borderTop: '1px solid var(--q-line)' }}
      >
        {found.map((command, index) => (
          <Row
            key={command.key}
            id={`${listId}-${index}`}
            command={command}
            isChosen={index === chosen}
            onPoint={() => setAt(index)}
            onTake={() => take(command)}
          />
        ))}
      </div>
      {found.length === 0 && (
        <Text size="sm" c="dimmed" px="md" pb="md" role="status">
          Nothing matches “{text}”.
        </Text>
      )}
    </>
  );
}

function Row({
  id,
  command,
  isChosen,
  onPoint,
  onTake,
}: {
  id: string;
  command: Command;
  isChosen: boolean;
  onPoint: () => void;
  onTake: () => void;
}): ReactNode {
  const Glyph = glyphOf(command.icon);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above has the focus and handles the keys
    // biome-ignore lint/a11y/useFocusableInteractive: options are pointed at by aria-activedescendant
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      className="q-palette-option"
      onMouseMove={onPoint}
      onClick={onTake}
    >
      <Glyph size={17} />
      <Text span size="sm" c="inherit">
        {command.title}
      </Text>
      <small>{command.group}</small>
    </div>
  );
}
