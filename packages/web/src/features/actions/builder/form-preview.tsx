import { Button, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { JsonBlock } from '../../../ui/index.ts';
import { FieldControl } from '../field-control.tsx';
import { FormItems } from '../form-items.tsx';
import { type Drafts, fieldsOf, resolveForm } from '../form-model.ts';
import { operationWords } from '../group-actions.ts';
import type { SelfServiceAction } from '../queries.ts';
import { useSurroundings } from '../use-surroundings.ts';
import type { Draft } from './document.ts';

/** The form as people will see it, alive: what is typed here moves it and is sent nowhere. All steps at once. */
export function FormPreview({ draft }: { draft: Draft }): ReactNode {
  const [drafts, setDrafts] = useState<Drafts>({});
  const { userInputs: inputs, operation, executeActionButtonText } = draft.trigger;
  const { about, ask } = useSurroundings(draft as unknown as SelfServiceAction, undefined);
  const form = useMemo(() => resolveForm(inputs, drafts, about), [inputs, drafts, about]);
  useEffect(() => ask(form.names));
  const touched = Object.fromEntries(Object.entries(form.mistakes).filter(([name]) => Object.hasOwn(drafts, name)));
  return (
    <Stack gap="md">
      {draft.description && (
        <Text size="sm" c="dimmed">
          {draft.description}
        </Text>
      )}
      {fieldsOf(form.steps).length === 0 && <Text size="sm">This form has no inputs yet.</Text>}
      {form.steps.map((step, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps have no other identity, and titles may repeat
        <Stack key={index} gap="md">
          {step.title && (
            <Title order={3}>
              Step {index + 1}: {step.title}
            </Title>
          )}
          <FormItems items={step.items}>
            {(field) => (
              <FieldControl
                key={field.name}
                field={field}
                error={touched[field.name]}
                onChange={(value) => setDrafts((all) => ({ ...all, [field.name]: value }))}
                register={noRegister}
              />
            )}
          </FormItems>
        </Stack>
      ))}
      {form.hiddenMistakes.length > 0 && (
        <Text size="sm" c="var(--mantine-color-error)">
          Hidden inputs would be refused: {form.hiddenMistakes.join(' ')}
        </Text>
      )}
      <Button disabled style={{ alignSelf: 'flex-end' }}>
        {executeActionButtonText || operationWords[operation]}
      </Button>
      <JsonBlock label="Inputs of the run" value={form.values} />
    </Stack>
  );
}

const noRegister = (): void => {};
