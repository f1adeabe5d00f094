import { Button, Collapse, Group, Select } from '@mantine/core';
import { type ReactNode, useMemo, useState } from 'react';
import { CodeEditor } from './code-editor.tsx';
import { jsonMistake, type TextMark } from './json-mistake.ts';

/** The button that opens a test of expressions below itself. */
export function TestJq({ children }: { children: ReactNode }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <div>
      <Button variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Test JQ
      </Button>
      <Collapse expanded={isOpen}>{isOpen && children}</Collapse>
    </div>
  );
}

/** Something that was, and that expressions can be tried on. */
export interface PastSample {
  id: string;
  label: string;
  load: () => Promise<unknown>;
}

export interface Sample {
  text: string;
  /** What the text says; undefined while it is no JSON. */
  value: unknown;
  mistake: TextMark | undefined;
  set: (text: string | undefined) => void;
}

/** `made` is made up, and holds until somebody types or chooses something that was. */
export function useTestSample(made: unknown): Sample {
  const [own, setOwn] = useState<string | undefined>();
  const text = own ?? JSON.stringify(made, null, 2);
  return useMemo(() => {
    const mistake = jsonMistake(text);
    return { text, mistake, value: mistake || text.trim() === '' ? undefined : JSON.parse(text), set: setOwn };
  }, [text]);
}

export function SampleEditor({
  sample,
  label,
  madeLabel,
  past,
  extra,
}: {
  sample: Sample;
  label: string;
  /** What the one is made up from. */
  madeLabel: string;
  past: readonly PastSample[];
  extra?: ReactNode;
}): ReactNode {
  const [problem, setProblem] = useState<string | undefined>();
  const [chosen, setChosen] = useState<string | null>('');
  const choose = async (id: string | null): Promise<void> => {
    setChosen(id);
    setProblem(undefined);
    try {
      const value = await past.find((each) => each.id === id)?.load();
      sample.set(value === undefined ? undefined : JSON.stringify(value, null, 2));
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <>
      <Group gap="xs" align="flex-end">
        <Select
          label="Sample"
          allowDeselect={false}
          data={[{ value: '', label: madeLabel }, ...past.map(({ id, label: word }) => ({ value: id, label: word }))]}
          value={chosen}
          w="min(100%, 420px)"
          error={problem}
          onChange={(id) => void choose(id)}
        />
        {extra}
      </Group>
      <CodeEditor
        label={label}
        value={sample.text}
        minRows={4}
        maxHeight={260}
        marks={sample.mistake ? [sample.mistake] : []}
        onChange={sample.set}
      />
    </>
  );
}
