import { Fragment, type ReactNode } from 'react';

/** Names and values side by side. Rows whose value is undefined are left out. */
export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }): ReactNode {
  return (
    <dl className="q-facts">
      {rows
        .filter(([, value]) => value !== undefined)
        .map(([name, value], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat, and rows have no other identity
          <Fragment key={`${index} ${name}`}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  );
}
