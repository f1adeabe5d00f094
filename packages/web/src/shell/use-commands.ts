import { useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { actionsQuery, operationWords } from '../features/actions/index.ts';
import { useOwnBlueprints } from '../features/blueprints/index.ts';
import type { Command } from './commands.ts';

export function useCommands(): Command[] {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const { data: actions = [] } = useQuery(actionsQuery);
  const { data: blueprints = [] } = useOwnBlueprints();
  const pages = [
    ['Self-service', '/self-serve', 'actions execute'],
    ['Runs', '/runs', 'history log'],
    ['Approvals', '/approvals', 'inbox waiting approve decline'],
    ['Catalog', '/catalog', 'blueprints entities'],
    ['Agents', '/agents', 'execution'],
    ['Deliveries', '/deliveries', 'ledger attempts dead letters'],
    ['Automations', '/settings/automations', 'trigger event evaluation'],
    ['Credentials', '/settings/credentials', 'client secret token'],
    ['Secrets', '/settings/secrets', 'token password template'],
    ['Guardrails', '/settings/guardrails', 'freeze four eyes approval'],
    ['Retention', '/settings/retention', 'keep days delete dead letter alert'],
    ['New action', '/self-serve/new', 'create builder form'],
    ['People', '/settings/people', 'users teams invite role'],
    ['Operations', '/operations', 'queues lag readers database dead letters status'],
    ['Audit log', '/audit', 'history who changed'],
    ['Get started', '/get-started', 'help connect agent'],
  ] as const;
  return [
    ...actions.map((action) => ({
      key: `action ${action.identifier}`,
      title: action.title ?? action.identifier,
      group: operationWords[action.trigger.operation],
      keywords: `action execute ${action.identifier} ${action.description ?? ''}`,
      icon: action.icon ?? 'action',
      run: () => void navigate({ to: '/self-serve', search: { action: action.identifier } }),
    })),
    ...blueprints.map((blueprint) => ({
      key: `blueprint ${blueprint.identifier}`,
      title: blueprint.title,
      group: 'Catalog',
      keywords: `blueprint ${blueprint.identifier}`,
      icon: blueprint.icon ?? blueprint.identifier,
      run: () => void navigate({ to: '/catalog/$blueprint', params: { blueprint: blueprint.identifier } }),
    })),
    ...pages.map(([title, to, keywords]) => ({
      key: `page ${to}`,
      title,
      group: 'Page',
      keywords,
      icon: 'page',
      run: () => void navigate({ to }),
    })),
    ...(['light', 'dark', 'auto'] as const).map((scheme) => ({
      key: `theme ${scheme}`,
      title: { light: 'Light theme', dark: 'Dark theme', auto: 'System theme' }[scheme],
      group: 'Appearance',
      keywords: 'theme colour scheme mode',
      icon: 'setting',
      run: () => setColorScheme(scheme),
    })),
  ];
}
