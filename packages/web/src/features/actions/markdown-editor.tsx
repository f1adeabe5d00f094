import { Box, SegmentedControl, Textarea } from '@mantine/core';
import { lazy, type ReactNode, type Ref, Suspense, useState } from 'react';
import type { Field } from './form-model.ts';

const Markdown = lazy(() => import('../../ui/markdown.tsx'));

interface MarkdownEditorProps {
  field: Field;
  shared: {
    label: ReactNode;
    description: string | undefined;
    error: string | undefined;
    disabled: boolean;
    ref: Ref<never>;
  };
  text: string;
  onChange: (text: string) => void;
}

/** Markdown as text, and what becomes of it. */
export function MarkdownEditor({ field, shared, text, onChange }: MarkdownEditorProps): ReactNode {
  const [isPreview, setPreview] = useState(false);
  return (
    <Box>
      {isPreview ? (
        <section aria-label={`Preview of ${field.label}`}>
          <p className="q-label">{field.label}</p>
          <div className="q-panel q-panel-body">
            <Suspense fallback={text}>
              <Markdown text={text || 'There is nothing to show yet.'} />
            </Suspense>
          </div>
        </section>
      ) : (
        <Textarea
          {...shared}
          value={text}
          autosize
          minRows={4}
          maxRows={16}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
      <SegmentedControl
        mt={6}
        size="xs"
        aria-label={`View of ${field.label}`}
        data={[
          { value: 'write', label: 'Write' },
          { value: 'preview', label: 'Preview' },
        ]}
        value={isPreview ? 'preview' : 'write'}
        onChange={(view) => setPreview(view === 'preview')}
      />
    </Box>
  );
}
