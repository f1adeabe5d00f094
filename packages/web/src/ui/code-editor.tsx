import './code-editor.css';
import { Input } from '@mantine/core';
import { type CSSProperties, type ReactNode, type Ref, useId } from 'react';
import type { TextMark } from './json-mistake.ts';

interface CodeEditorProps {
  label: ReactNode;
  description?: ReactNode;
  error?: ReactNode;
  value: string;
  onChange: (value: string) => void;
  isRequired?: boolean;
  isDisabled?: boolean;
  isFirst?: boolean;
  placeholder?: string;
  minRows?: number;
  maxHeight?: number;
  /** Underlined in the text, and told below it. */
  marks?: readonly TextMark[];
  inputRef?: Ref<HTMLTextAreaElement>;
}

/**
 * Text with line numbers and marked mistakes. A textarea, so that everything a browser and a screen reader know about text
 * works; Tab leaves it, as everywhere else.
 */
export function CodeEditor(props: CodeEditorProps): ReactNode {
  const { value, marks = [], minRows = 4, maxHeight = 420, isDisabled = false } = props;
  const id = useId();
  const count = value.split('\n').length;
  const lines = Array.from({ length: Math.max(count, 1) }, (_, index) => index + 1).join('\n');
  const style = { '--q-editor-rows': minRows, '--q-editor-height': `${maxHeight}px` } as CSSProperties;
  return (
    <Input.Wrapper
      id={id}
      label={props.label}
      description={props.description}
      error={props.error}
      withAsterisk={props.isRequired ?? false}
    >
      <div
        className="q-editor"
        style={style}
        data-error={props.error ? true : undefined}
        data-disabled={isDisabled || undefined}
      >
        <div className="q-editor-lines" aria-hidden="true">
          {lines}
        </div>
        <div className="q-editor-text">
          <pre aria-hidden="true">
            {withMarks(value, marks)}
            {'\n'}
          </pre>
          <textarea
            id={id}
            ref={props.inputRef}
            value={value}
            disabled={isDisabled}
            placeholder={props.placeholder}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            aria-required={props.isRequired || undefined}
            aria-invalid={props.error || marks.some((mark) => mark.severity === 'error') ? true : undefined}
            aria-describedby={[props.error ? `${id}-error` : '', marks.length > 0 ? `${id}-notes` : '']
              .join(' ')
              .trim()}
            data-autofocus={props.isFirst || undefined}
            onChange={(event) => props.onChange(event.currentTarget.value)}
          />
        </div>
      </div>
      {marks.length > 0 && (
        <ul className="q-editor-notes" id={`${id}-notes`}>
          {marks.slice(0, 5).map((mark) => (
            <li key={`${mark.start} ${mark.message}`} data-severity={mark.severity}>
              Line {mark.line}, column {mark.column}: {mark.message}
            </li>
          ))}
        </ul>
      )}
    </Input.Wrapper>
  );
}

function withMarks(text: string, marks: readonly TextMark[]): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const mark of [...marks].sort((a, b) => a.start - b.start)) {
    if (mark.start < at) continue;
    parts.push(text.slice(at, mark.start));
    const end = Math.max(mark.end, mark.start + 1);
    parts.push(
      <mark key={mark.start} data-severity={mark.severity}>
        {text.slice(mark.start, end) || ' '}
      </mark>,
    );
    at = end;
  }
  parts.push(text.slice(at));
  return parts;
}
