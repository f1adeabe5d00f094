import { useMemo, useState } from 'react';
import { useBlueprints } from '../../blueprints/index.ts';
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
