import { SegmentedControl } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { completeJson } from '../../../ui/complete-text.ts';
import { Panel } from '../../../ui/index.ts';
import { readDraft } from './document.ts';
import { FormPreview } from './form-preview.tsx';
import { JsonPane } from './json-pane.tsx';
import { readPermissions } from './permission-model.ts';
import type { Builder } from './use-action-builder.ts';
import { useSample } from './use-sample.ts';

const views = [
  { value: 'preview', label: 'Preview' },
  { value: 'action', label: 'JSON' },
  { value: 'permissions', label: 'Permissions' },
];

/** Beside the form: what people will see, or the documents themselves, which can be edited there as well. */
export function SidePane({ builder }: { builder: Builder }): ReactNode {
  const [view, setView] = useState('preview');
  const sample = useSample(builder.draft);
  const programs = { form: sample.inputs, entity: sample.entity, user: sample.trigger.by.user };
  const complete = completeJson({ templates: sample, programs });
  return (
    <Panel
      title="Result"
      extra={
        <SegmentedControl
          size="xs"
          aria-label="Result as"
          data={views}
          value={view}
          onChange={(next) => {
            setView(next);
            builder.setUnreadable(false);
          }}
        />
      }
    >
      {view === 'preview' && <FormPreview draft={builder.draft} />}
      {view === 'action' && (
        <JsonPane
          key="action"
          label="Action as JSON"
          complete={complete}
          value={builder.draft}
          onText={(text) => {
            const read = readDraft(text);
            builder.setUnreadable(read.kind === 'unreadable');
            if (read.kind === 'read') builder.change(read.draft);
            return read.kind === 'unreadable' ? read.message : undefined;
          }}
        />
      )}
      {view === 'permissions' && (
        <JsonPane
          key="permissions"
          label="Permissions as JSON"
          value={builder.guardrails.permissions}
          onText={(text) => {
            const read = readPermissions(text);
            builder.setUnreadable(read.kind === 'unreadable');
            if (read.kind === 'read')
              builder.changeGuardrails({ ...builder.guardrails, permissions: read.permissions });
            return read.kind === 'unreadable' ? read.message : undefined;
          }}
        />
      )}
    </Panel>
  );
}
