import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { TemplateTester } from '../../../ui/template-tester.tsx';
import { TestJq } from '../../../ui/test-jq.tsx';
import { useMe } from '../../session/index.ts';
import type { Draft } from './document.ts';
import { recentRunsQuery } from './queries.ts';
import { contextOfRun } from './sample.ts';
import { useSample } from './use-sample.ts';

/** "Test JQ" of an action: over a run as it could be, or one that was. */
export function TemplateTest({ draft }: { draft: Draft }): ReactNode {
  const { user } = useMe();
  const made = useSample(draft);
  const { data: runs = [] } = useQuery(recentRunsQuery(draft.identifier));
  return (
    <TestJq>
      <TemplateTester
        made={made}
        madeLabel="Made up from the form"
        past={runs.map((run) => ({
          id: run.id,
          label: `Run ${run.id}`,
          load: async () => contextOfRun(draft, run, user),
        }))}
        template={draft.invocationMethod}
        ownWord="action"
      />
    </TestJq>
  );
}
