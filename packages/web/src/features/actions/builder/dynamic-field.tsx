import { SegmentedControl } from '@mantine/core';
import { evaluateOutcome, type Json, lint } from '@quayside/expressions';
import { type ReactNode, useState } from 'react';
import { completeJq } from '../../../ui/complete-text.ts';
import { CodeEditor } from '../../../ui/index.ts';

interface DynamicFieldProps {
  label: string;
  description?: string;
  /** The program; undefined = a plain value, which `children` edits. */
  value: { jqQuery: string } | undefined;
  /** What the program sees here: `{form, entity, user}`. */
  sample: unknown;
  onChange: (value: { jqQuery: string } | undefined) => void;
  children: ReactNode;
}

/** A rule as a value or as a program over the form; a program is judged while it is typed and shows what it yields. */
export function DynamicField({ label, description, value, sample, onChange, children }: DynamicFieldProps): ReactNode {
  const [isProgram, setProgram] = useState(value !== undefined);
  const source = value?.jqQuery ?? '';
  return (
    <div>
      {isProgram ? (
        <CodeEditor
          label={label}
          description={`${description ? `${description} ` : ''}jq over .form, .entity and .user.`}
          minRows={2}
          maxHeight={220}
          value={source}
          placeholder='.form.language == "go"'
          complete={completeJq(sample)}
          marks={source ? lint(source) : []}
          onChange={(jqQuery) => onChange(jqQuery === '' ? undefined : { jqQuery })}
        />
      ) : (
        children
      )}
      <div className="q-dynamic">
        <SegmentedControl
          size="xs"
          aria-label={`${label}: value or program`}
          data={[
            { value: 'value', label: 'Value' },
            { value: 'jq', label: 'jq' },
          ]}
          value={isProgram ? 'jq' : 'value'}
          onChange={(next) => {
            setProgram(next === 'jq');
            if (next === 'value') onChange(undefined);
          }}
        />
        {isProgram && source && <output className="q-mono q-dim q-wrap">{outcomeText(source, sample)}</output>}
      </div>
    </div>
  );
}

function outcomeText(source: string, sample: unknown): string {
  const outcome = evaluateOutcome(source, sample as Json);
  if (!outcome.ok) return 'With the values of now it yields nothing.';
  const text = JSON.stringify(outcome.value ?? null);
  return `Yields ${text.length > 200 ? `${text.slice(0, 200)} …` : text} with the values of now.`;
}
