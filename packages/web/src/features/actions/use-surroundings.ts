import { entityKey, type Surroundings } from '@quayside/expressions';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { asApiError } from '../../api/index.ts';
import { entityQuery } from '../entities/index.ts';
import { callerQuery, type SelfServiceAction } from './queries.ts';

type Name = { blueprint: string; identifier: string };

/**
 * What expressions may look at besides the form: the target entity, the person, and the entities that the inputs name.
 * Which those are follows from the form itself, so it says so (`ask`) and is computed again when they are there.
 */
export function useSurroundings(action: SelfServiceAction, target: string | undefined) {
  const { data: user = null } = useQuery(callerQuery);
  const [asked, setAsked] = useState<readonly Name[]>([]);
  const { blueprintIdentifier } = action.trigger;
  const wanted = useMemo(() => {
    const all =
      target && blueprintIdentifier ? [{ blueprint: blueprintIdentifier, identifier: target }, ...asked] : asked;
    return [...new Map(all.map((name) => [entityKey(name.blueprint, name.identifier), name])).values()];
  }, [asked, target, blueprintIdentifier]);
  const loaded = useQueries({
    queries: wanted.map(({ blueprint, identifier }) => ({ ...entityQuery(blueprint, identifier), retry: false })),
    combine: (results) =>
      results.flatMap(({ data, error }, index) => {
        const name = wanted[index];
        if (!name || (!data && !(error && asApiError(error).isNotFound))) return [];
        return [[entityKey(name.blueprint, name.identifier), data ?? null] as const];
      }),
  });
  const about = useMemo((): Surroundings => {
    const entities = new Map<string, unknown>(loaded);
    const entity = target && blueprintIdentifier ? entities.get(entityKey(blueprintIdentifier, target)) : undefined;
    return { entity: entity ?? null, user, entities };
  }, [loaded, user, target, blueprintIdentifier]);
  const ask = (names: readonly Name[]): void => {
    if (JSON.stringify(names) !== JSON.stringify(asked)) setAsked(names);
  };
  return { about, ask };
}
