import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
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
