import { Alert, Fieldset, NumberInput, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import type { ActionPermissions } from '@quayside/contracts';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { completeJson } from '../../../ui/complete-text.ts';
import { PeopleSelect } from '../../people/index.ts';
import { type Draft, isObject, withKey } from './document.ts';
import { JsonPane } from './json-pane.tsx';
import { isForEveryone, limitOf, setRole, startPolicy } from './permission-model.ts';
import type { Builder } from './use-action-builder.ts';
import { usePolicySample } from './use-sample.ts';

type Side = 'execute' | 'approve';

export function PermissionsTab({ builder }: { builder: Builder }): ReactNode {
  const { draft, guardrails } = builder;
  const { execute, approve } = guardrails.permissions;
  const set = <S extends Side>(side: S, change: Partial<ActionPermissions[S]>): void =>
    builder.changeGuardrails({
      ...guardrails,
      permissions: { ...guardrails.permissions, [side]: { ...guardrails.permissions[side], ...change } },
    });
  const isForAll = isForEveryone(execute);
  const sampleOf = usePolicySample(draft);
  const mayOwn = draft.trigger.operation !== 'CREATE' && draft.trigger.blueprintIdentifier !== undefined;
  const approval = approvalOf(draft);
  const mistakes = builder.mistakes.filter(({ path }) =>
    /^body\.(?:execute|approve|concurrency|approvalNotification)/.test(path),
  );
  return (
    <Stack gap="lg">
      {mistakes.length > 0 && (
        <Alert color="red" variant="light" role="alert" title="The permissions are not right yet">
          {mistakes.map(({ path, message }) => `${path.slice('body.'.length)} ${message}`).join(' ')}
        </Alert>
      )}
      <Fieldset legend="Who can execute this action">
        <Stack gap="sm">
          <Switch
            label="Give access to everyone in the organization"
            checked={isForAll}
            onChange={(event) =>
              set('execute', { roles: setRole(execute.roles, 'Member', event.currentTarget.checked) })
            }
          />
          <PeopleSelect
            kind="user"
            isMany
            label="Users"
            isDisabled={isForAll}
            value={execute.users}
            onChange={(users) => set('execute', { users })}
          />
          <PeopleSelect
            kind="team"
            isMany
            label="Teams"
            isDisabled={isForAll}
            value={execute.teams}
            onChange={(teams) => set('execute', { teams })}
          />
          <Switch
            label="Members of the team that owns the entity"
            description={mayOwn ? undefined : 'For Day-2 and Delete actions on a blueprint.'}
            disabled={!mayOwn || isForAll}
            checked={execute.ownedByTeam}
            onChange={(event) => set('execute', { ownedByTeam: event.currentTarget.checked })}
          />
          <PolicyEditor
            label="A policy decides"
            about="Then it alone decides, for administrators too; the lists above say who sees the action. One condition that is true allows."
            policy={execute.policy}
            sampleOf={sampleOf}
            start={startPolicy.execute}
            onChange={(policy) => set('execute', { policy })}
          />
          <Text size="xs" c="dimmed">
            Administrators can always execute what no policy forbids.
          </Text>
        </Stack>
      </Fieldset>
      <Fieldset legend="Runs">
        <Stack gap="sm">
          <Switch
            label="Let anyone in this organization view this action’s runs"
            checked={draft.allowAnyoneToViewRuns !== false}
            onChange={(event) =>
              builder.change(withKey(draft, 'allowAnyoneToViewRuns', event.currentTarget.checked ? undefined : false))
            }
          />
          <NumberInput
            label="At once, in all"
            description="Runs in progress or waiting for approval; more are refused. Empty = any number."
            min={1}
            value={guardrails.limits.concurrency ?? ''}
            onChange={(value) =>
              builder.changeGuardrails({ ...guardrails, limits: { ...guardrails.limits, concurrency: limitOf(value) } })
            }
          />
          <NumberInput
            label="At once, for one entity"
            min={1}
            disabled={!mayOwn}
            value={guardrails.limits.concurrencyPerEntity ?? ''}
            onChange={(value) =>
              builder.changeGuardrails({
                ...guardrails,
                limits: { ...guardrails.limits, concurrencyPerEntity: limitOf(value) },
              })
            }
          />
          <Text size="xs" c="dimmed">
            Four eyes and freezes hold for the whole organization: <Link to="/settings/guardrails">Guardrails</Link>.
          </Text>
        </Stack>
      </Fieldset>
      <Fieldset legend="Manual approval">
        <Stack gap="sm">
          <Select
            label="Enforce manual approval"
            allowDeselect={false}
            data={[
              { value: 'NO', label: 'No' },
              { value: 'ANY', label: 'Yes, by any approver' },
              { value: 'ALL', label: 'Yes, by all approvers' },
            ]}
            value={approval}
            onChange={(value) =>
              builder.change({
                ...draft,
                requiredApproval: value === 'NO' ? false : { type: value === 'ALL' ? 'ALL' : 'ANY' },
              })
            }
          />
          {approval !== 'NO' && (
            <>
              <Notification builder={builder} />
              <PeopleSelect
                kind="user"
                isMany
                label="Users who approve"
                isDisabled={approve.policy !== null}
                value={approve.users}
                onChange={(users) => set('approve', { users })}
              />
              <PeopleSelect
                kind="team"
                isMany
                label="Teams that approve"
                isDisabled={approve.policy !== null}
                value={approve.teams}
                onChange={(teams) => set('approve', { teams })}
              />
              <Switch
                label="Administrators approve"
                disabled={approve.policy !== null}
                checked={approve.roles.includes('Admin')}
                onChange={(event) =>
                  set('approve', { roles: setRole(approve.roles, 'Admin', event.currentTarget.checked) })
                }
              />
              <PolicyEditor
                label="A policy names the approvers"
                about="Each condition yields a list of e-mails; exactly those people are asked."
                policy={approve.policy}
                sampleOf={sampleOf}
                start={startPolicy.approve}
                onChange={(policy) => set('approve', { policy })}
              />
            </>
          )}
        </Stack>
      </Fieldset>
    </Stack>
  );
}

function approvalOf({ requiredApproval }: Draft): 'NO' | 'ANY' | 'ALL' {
  if (typeof requiredApproval === 'object') return requiredApproval.type;
  return requiredApproval ? 'ANY' : 'NO';
}

function Notification({ builder }: { builder: Builder }): ReactNode {
  const { draft } = builder;
  const notification = draft.approvalNotification;
  const isWebhook = notification?.type === 'webhook';
  const url = isWebhook ? notification.url : '';
  const way = isWebhook ? (notification.format === 'slack' ? 'slack' : 'webhook') : 'email';
  const set = (next: string, address: string): void =>
    builder.change(
      withKey(
        draft,
        'approvalNotification',
        next === 'email'
          ? { type: 'email' }
          : { type: 'webhook', format: next === 'slack' ? 'slack' : 'json', url: address },
      ),
    );
  return (
    <>
      <Select
        label="Notify approvers by"
        allowDeselect={false}
        data={[
          { value: 'email', label: 'E-mail' },
          { value: 'slack', label: 'Slack' },
          { value: 'webhook', label: 'Webhook' },
        ]}
        value={way}
        onChange={(next) => next && set(next, url)}
      />
      {isWebhook && (
        <TextInput
          label="URL to notify"
          withAsterisk
          placeholder="https://"
          value={url}
          error={builder.mistakes.find(({ path }) => path.startsWith('body.approvalNotification'))?.message}
          onChange={(event) => set(way, event.currentTarget.value)}
        />
      )}
    </>
  );
}

type Policy = ActionPermissions['execute']['policy'];

function PolicyEditor({
  label,
  about,
  policy,
  start,
  sampleOf,
  onChange,
}: {
  label: string;
  about: string;
  policy: Policy;
  /** What its queries and conditions see. */
  sampleOf: ReturnType<typeof usePolicySample>;
  start: NonNullable<Policy>;
  onChange: (policy: Policy) => void;
}): ReactNode {
  return (
    <>
      <Switch
        label={label}
        description={about}
        checked={policy !== null}
        onChange={(event) => onChange(event.currentTarget.checked ? start : null)}
      />
      {policy !== null && (
        <JsonPane
          label={`${label}: queries and conditions`}
          description="Queries find entities; conditions are jq over .results, .inputs, .user, .entity and .trigger."
          minRows={8}
          withTemplates
          withConditions
          complete={(text, caret) => completeJson(sampleOf(policy))(text, caret)}
          value={policy}
          onText={(text) => {
            try {
              const value: unknown = JSON.parse(text);
              if (!isObject(value) || !isObject(value.queries) || !Array.isArray(value.conditions))
                return 'A policy has "queries", an object, and "conditions", a list of jq programs.';
              onChange(value as NonNullable<Policy>);
              return undefined;
            } catch {
              return 'This is not valid JSON.';
            }
          }}
        />
      )}
    </>
  );
}
