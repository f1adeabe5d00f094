import './code-editor.css';
import { Input, VisuallyHidden } from '@mantine/core';
import { useMergedRef } from '@mantine/hooks';
import { type CSSProperties, type ReactNode, type Ref, useEffect, useId, useRef } from 'react';
import type { Complete } from './complete-text.ts';
import type { TextMark } from './json-mistake.ts';
import { useCompletion } from './use-completion.ts';

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
  /** No line numbers, and no second line. */
  isOneLine?: boolean;
  /** Underlined in the text, and told below it. */
  marks?: readonly TextMark[];
  /** What may be typed at the caret. */
  complete?: Complete | undefined;
  inputRef?: Ref<HTMLTextAreaElement>;
}

/**
 * Text with line numbers and marked mistakes. A textarea, so that everything a browser and a screen reader know about text
 * works; Tab leaves it, as everywhere else, unless a list of completions is open.
 */
export function CodeEditor(props: CodeEditorProps): ReactNode {
  const { value, marks = [], maxHeight = 420, isDisabled = false, isOneLine = false } = props;
  const minRows = isOneLine ? 1 : (props.minRows ?? 4);
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const areaRef = useMergedRef(area, props.inputRef ?? null);
  const completion = useCompletion(area, value, props.onChange, props.complete);
  const { offer } = completion;
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
      <div className="q-editor-frame">
        <div
          className="q-editor"
          style={style}
          data-error={props.error ? true : undefined}
          data-disabled={isDisabled || undefined}
        >
          {!isOneLine && (
            <div className="q-editor-lines" aria-hidden="true">
              {lines}
            </div>
          )}
          <div className="q-editor-text">
            <pre aria-hidden="true">
              {withMarks(value, marks)}
              {'\n'}
            </pre>
            <textarea
              id={id}
              ref={areaRef}
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
              {...(props.complete && {
                'aria-autocomplete': 'list',
                'aria-haspopup': 'listbox',
                ...(offer && {
                  'aria-controls': `${id}-offer`,
                  'aria-activedescendant': `${id}-offer-${offer.chosen}`,
                }),
                // Escape closes the list, not the dialog around the editor.
                'data-mantine-stop-propagation': offer !== undefined,
                onKeyDown: completion.onKeyDown,
                onBlur: completion.close,
                onClick: completion.close,
              })}
              onChange={(event) => {
                const { value: typed, selectionStart } = event.currentTarget;
                const text = isOneLine ? typed.replace(/\r?\n/g, '') : typed;
                props.onChange(text);
                if (props.complete) completion.look(text, selectionStart, false);
              }}
            />
          </div>
        </div>
        {offer && <Offer id={`${id}-offer`} offer={offer} area={area.current} value={value} onTake={completion.take} />}
      </div>
      {props.complete && (
        <VisuallyHidden role="status">
          {offer ? `${offer.suggestions.length} completions; arrows choose, Enter takes` : ''}
        </VisuallyHidden>
      )}
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

interface OfferProps {
  id: string;
  offer: NonNullable<ReturnType<typeof useCompletion>['offer']>;
  area: HTMLTextAreaElement | null;
  value: string;
  onTake: (index: number) => void;
}

/** Under the line of the caret. The letters are all as wide as each other, so the column says where that is. */
function Offer({ id, offer, area, value, onTake }: OfferProps): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[offer.chosen]?.scrollIntoView({ block: 'nearest' });
  }, [offer.chosen]);
  const scroll = area?.closest('.q-editor');
  const before = value.slice(0, offer.caret - offer.replaces);
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n') - 1;
  const style = {
    '--q-offer-line': line,
    '--q-offer-column': column,
    '--q-offer-x': `${(area?.offsetLeft ?? 0) - (scroll?.scrollLeft ?? 0)}px`,
    '--q-offer-y': `${-(scroll?.scrollTop ?? 0)}px`,
  } as CSSProperties;
  return (
    <div id={id} ref={list} role="listbox" aria-label="Completions" className="q-offer" style={style}>
      {offer.suggestions.map(({ text, about }, index) => (
        // biome-ignore lint/a11y/useFocusableInteractive: options are pointed at by aria-activedescendant
        // biome-ignore lint/a11y/useKeyWithClickEvents: the textarea has the focus and handles the keys
        <div
          key={text}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === offer.chosen}
          // The textarea keeps the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(index)}
        >
          <span>{text}</span>
          <small>{about}</small>
        </div>
      ))}
    </div>
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
