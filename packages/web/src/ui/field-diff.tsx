import type { ReactNode } from 'react';
import type { FieldChange } from './changed-fields.ts';

/** What was, and what is instead, field by field. */
export function FieldDiff({ fields }: { fields: readonly FieldChange[] }): ReactNode {
  return (
    <dl className="q-diff">
      {fields.map(({ name, before, after }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {before !== undefined && <del>{before}</del>}
            {after !== undefined && <ins>{after}</ins>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
