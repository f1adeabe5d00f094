import type { UserInputs } from '@quayside/contracts';
import { type ReactNode, useState } from 'react';
import { CodeEditor, jsonMistake } from '../../ui/index.ts';
import { readValues } from './json-values.ts';

interface JsonModeProps {
  inputs: UserInputs;
  values: Readonly<Record<string, unknown>>;
  onChange: (values: Readonly<Record<string, unknown>>) => void;
}

/** The inputs as JSON. What is typed changes the form as soon as it can be read; until then the form keeps what it had. */
export function JsonMode({ inputs, values, onChange }: JsonModeProps): ReactNode {
  const [text, setText] = useState(() => JSON.stringify(values, null, 2));
  const read = readValues(inputs, text);
  const mark = jsonMistake(text);
  const hasSecrets = Object.values(inputs.properties).some((input) => input.encryption !== undefined);
  return (
    <CodeEditor
      label="Inputs as JSON"
      description={hasSecrets ? 'Secrets are not shown here; fill them in in the form.' : undefined}
      value={text}
      minRows={10}
      isFirst
      error={mark || read.kind === 'read' ? undefined : read.message}
      marks={mark ? [mark] : []}
      onChange={(next) => {
        setText(next);
        const now = readValues(inputs, next);
        if (now.kind === 'read') onChange(now.values);
      }}
    />
  );
}
