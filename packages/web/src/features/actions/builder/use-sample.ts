import type { Policy } from '@quayside/contracts';
import { useMemo, useState } from 'react';
import { sampleEntity, useBlueprints } from '../../blueprints/index.ts';
import { useSecretNames } from '../../secrets/index.ts';
import { useMe } from '../../session/index.ts';
import type { Draft } from './document.ts';
import { sampleContext } from './sample.ts';

/** What the expressions of the action's backend could see, with the properties and secrets that there are. */
export function useSample(draft: Draft) {
  const { user } = useMe();
  const [opened] = useState(() => new Date());
  const { data: blueprints } = useBlueprints();
  const secrets = useSecretNames();
  return useMemo(
    () => sampleContext(draft, user, opened, { blueprints: blueprints ?? [], secrets }),
    [draft, user, opened, blueprints, secrets],
  );
}

/** What the queries of a policy see, and its conditions, which also see what the queries find. */
export function usePolicySample(draft: Draft) {
  const { inputs, entity, trigger, action } = useSample(draft);
  const { data: blueprints = [] } = useBlueprints();
  const { user } = trigger.by;
  return ({ queries }: Policy) => {
    const templates = { inputs, entity, user, trigger: { at: trigger.at, user }, action, blueprint: action.blueprint };
    const results = Object.entries(queries).map(([name, { rules }]) => {
      const asked = rules.find(({ property }) => property === '$blueprint')?.value;
      const identifier = typeof asked === 'string' ? asked : (action.blueprint ?? '');
      const found = sampleEntity(
        identifier,
        blueprints.find((each) => each.identifier === identifier),
      );
      return [name, { entities: [found] }] as const;
    });
    return { templates, programs: { ...templates, results: Object.fromEntries(results) } };
  };
}
