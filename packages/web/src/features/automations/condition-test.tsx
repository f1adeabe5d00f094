import { Stack, Text } from '@mantine/core';
import type { ConditionResult } from '@quayside/contracts';
import { evaluateOutcome, type Json } from '@quayside/expressions';
import { type ReactNode, useMemo } from 'react';
import { SampleEditor, TestJq, useTestSample } from '../../ui/test-jq.tsx';
import { ConditionResults } from './condition-results.tsx';
import type { Automation } from './document.ts';
import { usePastEvents } from './past-events.ts';
import { useSamples } from './use-completion.ts';

/** "Test JQ" of conditions as they are written now, saved or not: would this event start it? */
export function ConditionTest({ automation, trigger }: { automation: Automation; trigger: unknown }): ReactNode {
  return (
    <TestJq>
      <Tester automation={automation} condition={conditionOf(trigger)} />
    </TestJq>
  );
}

interface Condition {
  expressions: readonly string[];
  isAny: boolean;
}

function conditionOf(trigger: unknown): Condition {
  const { condition } = (trigger ?? {}) as { condition?: { expressions?: unknown; combinator?: unknown } };
  const expressions = Array.isArray(condition?.expressions) ? condition.expressions : [];
  return { expressions: expressions.filter((each) => typeof each === 'string'), isAny: condition?.combinator === 'or' };
}

function Tester({ automation, condition }: { automation: Automation; condition: Condition }): ReactNode {
  const { event: made } = useSamples(automation.trigger.event);
  const past = usePastEvents(automation.identifier);
  const sample = useTestSample(made);
  const { expressions, isAny } = condition;
  const results = useMemo(
    () => expressions.map((expression) => resultOf(expression, sample.value)),
    [expressions, sample.value],
  );
  const met = results.filter(({ value }) => value === true).length;
  const starts = isAny && results.length > 0 ? met > 0 : met === results.length;
  return (
    <Stack mt="sm" gap="sm">
      <SampleEditor
        sample={sample}
        label="The event, as conditions see it"
        madeLabel="Made up from the blueprint"
        past={past}
      />
      {sample.value !== undefined && (
        <Text size="sm" role="status">
          {starts ? 'This event would start it.' : 'This event would not start it.'}{' '}
          {results.length === 0 ? 'There are no conditions.' : `${met} of ${results.length} conditions are true.`}
        </Text>
      )}
      {sample.value !== undefined && <ConditionResults results={results} />}
    </Stack>
  );
}

function resultOf(expression: string, event: unknown): ConditionResult {
  const outcome = evaluateOutcome(expression, event as Json);
  return outcome.ok ? { expression, value: outcome.value ?? null } : { expression, error: outcome.error.message };
}
