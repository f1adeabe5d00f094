import { type ReactNode, useState } from 'react';
import type { Complete } from '../../../ui/complete-text.ts';
import { CodeEditor, jsonMistake } from '../../../ui/index.ts';
import { programMarks, templateMarks } from '../../../ui/template-marks.ts';

interface JsonPaneProps {
  label: string;
  description?: string;
  value: unknown;
  minRows?: number;
  isRequired?: boolean;
  error?: string | undefined;
  /** Also marks what is wrong in {{ }} blocks. */
  withTemplates?: boolean;
  /** Also marks what is wrong in its conditions. */
  withConditions?: boolean;
  complete?: Complete | undefined;
  /** Takes the text over, or says why it can not be. */
  onText: (text: string) => string | undefined;
}

const textOf = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value, null, 2));

/** A document as JSON. What is typed stays as typed; a change from elsewhere replaces it. */
export function JsonPane(props: JsonPaneProps): ReactNode {
  const outside = textOf(props.value);
  const [text, setText] = useState(outside);
  const [message, setMessage] = useState<string | undefined>();
  const [seen, setSeen] = useState(outside);
  if (outside !== seen) {
    setSeen(outside);
    if (!isSameJson(text, outside)) {
      setText(outside);
      setMessage(undefined);
    }
  }
  const mark = jsonMistake(text);
  const error = mark ? undefined : (message ?? props.error);
  return (
    <CodeEditor
      label={props.label}
      description={props.description}
      value={text}
      minRows={props.minRows ?? 12}
      maxHeight={560}
      isRequired={props.isRequired ?? false}
      error={error}
      marks={
        mark
          ? [mark]
          : [...(props.withTemplates ? templateMarks(text) : []), ...(props.withConditions ? programMarks(text) : [])]
      }
      complete={props.complete}
      onChange={(next) => {
        setText(next);
        setMessage(props.onText(next));
      }}
    />
  );
}

function isSameJson(left: string, right: string): boolean {
  if (left.trim() === '') return right === '';
  try {
    return JSON.stringify(JSON.parse(left)) === JSON.stringify(JSON.parse(right));
  } catch {
    return false;
  }
}
