import type { ConditionResult } from '@quayside/contracts';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** What each condition yielded; only exactly `true` counts. */
export function ConditionResults({ results }: { results: readonly ConditionResult[] }): ReactNode {
  return (
    <ol style={{ margin: 0, paddingInlineStart: 20 }}>
      {results.map(({ expression, value, error }) => {
        const Glyph = value === true ? IconCircleCheck : IconCircleX;
        return (
          <li key={expression}>
            <Glyph size={15} aria-hidden="true" style={{ verticalAlign: '-2px' }} />{' '}
            <span className="q-mono q-wrap">{expression}</span>{' '}
            <span className="q-dim q-wrap">{error ? `failed: ${error}` : `is ${JSON.stringify(value)}`}</span>
          </li>
        );
      })}
    </ol>
  );
}
