import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { None } from '../../ui/index.ts';
import { entityTitleQuery } from './titles.ts';

/** A link to an entity. Without `title` the title is looked up, and the identifier stands in until (or unless) it is found. */
export function EntityLink({
  blueprint,
  identifier,
  title,
}: {
  blueprint: string;
  identifier: string;
  title?: string | null | undefined;
}): ReactNode {
  const { data } = useQuery({
    ...entityTitleQuery(blueprint, identifier),
    enabled: !title,
    retry: false,
  });
  return (
    <Link to="/catalog/$blueprint/$entity" params={{ blueprint, entity: identifier }}>
      {title || data || identifier}
    </Link>
  );
}

/** One, many or none, as a relation or an input holds them. */
export function EntityLinks({ blueprint, value }: { blueprint: string; value: unknown }): ReactNode {
  const identifiers = [value].flat().filter((each): each is string => typeof each === 'string' && each !== '');
  if (identifiers.length === 0) return <None />;
  return identifiers.map((identifier, index) => (
    <span key={identifier}>
      {index > 0 && ', '}
      <EntityLink blueprint={blueprint} identifier={identifier} />
    </span>
  ));
}
