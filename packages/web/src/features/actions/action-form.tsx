import { Alert, Box, Button, Code, Group, Stack, Switch, Text, Title } from '@mantine/core';
import type { Verdict } from '@quayside/contracts';
import { IconBolt } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { CopyButton, Dialog, ErrorPanel, IconTile } from '../../ui/index.ts';
import { EntitySelect } from '../entities/index.ts';
import { FieldControl } from './field-control.tsx';
import { FormItems } from './form-items.tsx';
import { formLink } from './form-link.ts';
import { targetName } from './form-model.ts';
import { operationWords } from './group-actions.ts';
import { JsonMode } from './json-mode.tsx';
import { PreviewOfRun } from './run-preview.tsx';
import { type ActionFormInput, type ActionFormState, useActionForm } from './use-action-form.ts';
import { reasonOf } from './verdict-words.ts';

/** The form of one action, in a dialog. All decisions are in use-action-form.ts. */
export function ActionForm({ onClose, ...input }: ActionFormInput & { onClose: () => void }): ReactNode {
  const { action } = input;
  return (
    <Dialog
      size="lg"
      onClose={onClose}
      title={
        <Group gap="sm" wrap="nowrap" component="span">
          <IconTile name={action.icon} fallback={IconBolt} size={30} />
          <span className="q-wrap">{action.title ?? action.identifier}</span>
        </Group>
      }
    >
      <FormBody {...input} onClose={onClose} />
    </Dialog>
  );
}

function FormBody({ onClose, ...input }: ActionFormInput & { onClose: () => void }): ReactNode {
  const form = useActionForm(input);
  const { trigger, description } = input.action;
  const isDelete = trigger.operation === 'DELETE';
  const word = trigger.executeActionButtonText ?? operationWords[trigger.operation];
  const step = form.steps[form.stepIndex];
  const first = step?.items.find((item) => item.kind === 'field')?.field;
  const isEmpty = (step?.items.length ?? 0) === 0 && !form.target;
  const [isJson, setJson] = useState(false);
  const { userInputs } = trigger;
  // Between the form and its execution: the question of a delete, and the preview.
  const isAside = form.isConfirming || form.preview !== undefined;
  const mayJson = !userInputs.steps?.length && Object.keys(userInputs.properties).length > 0;
  return (
    <form onSubmit={form.submit} noValidate>
      <Stack gap="md">
        {description && form.stepIndex === 0 && !isAside && (
          <Text size="sm" c="dimmed">
            {description}
          </Text>
        )}
        {form.steps.length > 1 && !isAside && <StepHeader form={form} />}
        {form.startOver && !isAside && (
          <Group gap={6} justify="space-between">
            <Text size="sm" role="status">
              This is what you typed before.
            </Text>
            <Button variant="subtle" size="compact-sm" onClick={form.startOver}>
              Start over
            </Button>
          </Group>
        )}
        {form.hiddenMistakes.length > 0 && form.isLastStep && (
          <ErrorPanel
            title="The action itself has a mistake"
            error={{ message: `Inputs that are not shown here can not be sent: ${form.hiddenMistakes.join(' ')}` }}
          />
        )}
        {form.forbidden && <Forbidden verdict={form.forbidden} />}
        {form.refusal && <ErrorPanel error={form.refusal.error} title="The run was not started" />}
        {form.isConfirming && <Confirmation form={form} />}
        {form.preview && <PreviewOfRun preview={form.preview} />}
        {!isAside && (
          <>
            {form.stepIndex === 0 && form.target && <Target form={form} condition={trigger.condition} />}
            {isEmpty && <Text size="sm">This action needs no inputs.</Text>}
            {isJson && <JsonMode inputs={userInputs} values={form.values} onChange={form.replaceValues} />}
            {isJson && <JsonMistakes errors={form.errors} />}
            {!isJson && (
              <FormItems items={step?.items ?? []}>
                {(field) => (
                  <FieldControl
                    key={field.name}
                    field={field}
                    error={form.errors[field.name]}
                    isFirst={field === first && !(form.target && !form.target.isFixed)}
                    onChange={(draft) => form.set(field.name, draft)}
                    register={form.register(field.name)}
                  />
                )}
              </FormItems>
            )}
          </>
        )}
        <Group justify="flex-end" gap="xs" mt="xs">
          {mayJson && !isAside && (
            <Switch label="JSON mode" checked={isJson} onChange={(event) => setJson(event.currentTarget.checked)} />
          )}
          {!isAside && (
            <CopyButton
              label="Copy a link that opens this form filled in"
              value={() => formLink(window.location.origin, input.action.identifier, form.values, form.target?.value)}
            />
          )}
          <Box mr="auto" />
          <Button variant="default" onClick={isAside || form.stepIndex > 0 ? form.back : onClose}>
            {isAside || form.stepIndex > 0 ? 'Back' : 'Cancel'}
          </Button>
          {form.isLastStep && !isAside && (
            <Button
              variant="default"
              disabled={form.forbidden !== undefined}
              loading={form.isLookingAhead}
              onClick={form.lookAhead}
            >
              Preview
            </Button>
          )}
          <Button
            type="submit"
            disabled={form.forbidden !== undefined}
            loading={form.isBusy}
            {...(isDelete && form.isLastStep ? { color: 'red.9' } : {})}
          >
            {form.isLastStep ? (form.isConfirming ? `Yes, ${word.toLowerCase()}` : word) : 'Next'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** In JSON there are no fields to stand beside. */
function JsonMistakes({ errors }: { errors: Readonly<Record<string, string>> }): ReactNode {
  const mistakes = Object.entries(errors).filter(([name]) => name !== targetName);
  if (mistakes.length === 0) return null;
  return <ErrorPanel title="Please mend this first" error={{ message: mistakes.map(([, text]) => text).join(' ') }} />;
}

function StepHeader({ form }: { form: ActionFormState }): ReactNode {
  return (
    <Box>
      <Text size="xs" c="dimmed" aria-live="polite">
        Step {form.stepIndex + 1} of {form.steps.length}
      </Text>
      <Title order={2}>{form.steps[form.stepIndex]?.title}</Title>
    </Box>
  );
}

function Target({
  form,
  condition,
}: {
  form: ActionFormState;
  condition: { combinator?: 'and' | 'or'; rules: Record<string, unknown>[] } | undefined;
}): ReactNode {
  const { target } = form;
  if (!target) return null;
  return (
    <EntitySelect
      label="Target entity"
      description={target.isFixed ? undefined : 'The entity this action works on.'}
      error={form.errors[targetName]}
      isRequired
      isDisabled={target.isFixed}
      isFirst={!target.isFixed}
      blueprint={target.blueprint}
      query={condition ? { combinator: condition.combinator ?? 'and', rules: condition.rules } : undefined}
      value={target.value ? [target.value] : []}
      inputRef={form.register(targetName)}
      onChange={(identifiers) => target.choose(identifiers[0])}
    />
  );
}

function Confirmation({ form }: { form: ActionFormState }): ReactNode {
  const name = form.target?.entity?.title ?? form.target?.value;
  return (
    <Alert
      color="red"
      variant="light"
      role="alert"
      title={name ? `Really delete “${name}”?` : 'Really go on?'}
      styles={{ title: { color: 'var(--mantine-color-error)' }, message: { color: 'var(--mantine-color-text)' } }}
    >
      This starts a delete operation. What it removes may not come back.
    </Alert>
  );
}

/** Which rule keeps the person from executing, and what would change that. */
function Forbidden({ verdict }: { verdict: Verdict }): ReactNode {
  return (
    <Alert
      color="yellow"
      variant="light"
      title={verdict.hold ? 'Not now' : 'You may not execute this'}
      role="status"
      styles={{ title: { color: 'var(--mantine-color-text)' }, message: { color: 'var(--mantine-color-text)' } }}
    >
      <Stack gap={6}>
        <Text size="sm">{reasonOf(verdict)}</Text>
        {verdict.conditions?.map(({ expression, value, error }) => (
          <Text key={expression} size="xs">
            <Code>{expression}</Code> {error === undefined ? `yields ${JSON.stringify(value)}` : `failed: ${error}`}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}
