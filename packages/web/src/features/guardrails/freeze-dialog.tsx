import { Button, Group, MultiSelect, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog, ErrorPanel } from '../../ui/index.ts';
import { actionsQuery } from '../actions/index.ts';
import { freezeMistakes } from './freezes.ts';
import type { Freeze } from './queries.ts';

export function FreezeDialog({
  onSave,
  onClose,
}: {
  onSave: (freeze: Freeze) => Promise<void>;
  onClose: () => void;
}): ReactNode {
  const { data: actions = [] } = useQuery(actionsQuery);
  const [draft, setDraft] = useState({ from: '', to: '', reason: '' });
  const [only, setOnly] = useState<string[]>([]);
  const [mistakes, setMistakes] = useState<Readonly<Record<string, string>>>({});
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown }>({ isBusy: false });
  const field = (name: keyof typeof draft) => ({
    withAsterisk: true,
    value: draft[name],
    error: mistakes[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setDraft((all) => ({ ...all, [name]: value }));
      setMistakes(({ [name]: _mended, ...rest }) => rest);
    },
  });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (state.isBusy) return;
    const found = freezeMistakes(draft);
    setMistakes(found);
    if (Object.keys(found).length > 0) return;
    setState({ isBusy: true });
    try {
      await onSave({
        from: new Date(draft.from).toISOString(),
        to: new Date(draft.to).toISOString(),
        reason: draft.reason.trim(),
        ...(only.length > 0 ? { actions: only } : {}),
      });
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };
  return (
    <Dialog title="New freeze" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Stack>
          {state.error !== undefined && <ErrorPanel error={state.error} />}
          <TextInput label="From" type="datetime-local" data-autofocus {...field('from')} />
          <TextInput label="To" type="datetime-local" {...field('to')} />
          <TextInput label="Reason" {...field('reason')} />
          <MultiSelect
            label="Only these actions"
            placeholder={only.length > 0 ? '' : 'All actions'}
            searchable
            data={actions.map((action) => ({ value: action.identifier, label: action.title ?? action.identifier }))}
            value={only}
            onChange={setOnly}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={state.isBusy}>
              Create
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
