import { Alert, Stack, Text } from '@mantine/core';
import { type Delivery, describeOutcome, type SubjectDeliveries } from '@quayside/contracts';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Ago, CodeBlock, Duration, ErrorPanel, Facts, Loading } from '../../ui/index.ts';
import { useMay } from '../session/index.ts';
import { deliveryQuery } from './queries.ts';
import { ReplayButton } from './replays.tsx';
import { answerText, requestText, stateWords, whyWords } from './words.ts';

const isUnderWay: ReadonlySet<SubjectDeliveries['why']['state']> = new Set(['under_way', 'waiting']);

/** Why it stands where it does, then the attempt with everything that was sent and answered, then its siblings. */
export function DeliveryDetails({ subject, attempt }: { subject: string; attempt: number }): ReactNode {
  const mayReplay = useMay('delivery:replay');
  const { data, error, isError, refetch } = useQuery(deliveryQuery(subject));
  if (isError && !data) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading label="Loading the delivery" />;
  const shown = data.attempts.find((each) => each.attempt === attempt);
  const others = data.attempts.filter((each) => each.attempt !== attempt);
  return (
    <Stack gap="md" py="xs">
      <Why delivery={data} />
      {mayReplay && <ReplayButton subject={subject} isDisabled={isUnderWay.has(data.why.state)} />}
      {shown && <Attempt attempt={shown} />}
      {others.length > 0 && (
        <div>
          <Text size="sm" fw={560}>
            Other attempts
          </Text>
          <ul>
            {others.map((each) => (
              <li key={each.attempt}>
                {each.attempt} by {each.holder}, <Ago at={each.startedAt} />: {sentenceOf(each)}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Stack>
  );
}

function Why({ delivery: { subject, why } }: { delivery: SubjectDeliveries }): ReactNode {
  return (
    <Alert variant="light" color={why.state === 'given_up' ? 'red' : 'harbour'} title={whyWords[why.state]}>
      <Text size="sm">{why.text}</Text>
      {why.remedy && (
        <Text size="sm" mt={4}>
          What helps: {why.remedy}
        </Text>
      )}
      <Facts
        rows={[
          ['Next attempt', why.nextAttemptAt && <Ago at={why.nextAttemptAt} />],
          ['Tries left', why.triesLeft],
          ['Key', <code key="key">{subject}</code>],
        ]}
      />
    </Alert>
  );
}

function Attempt({ attempt }: { attempt: Delivery }): ReactNode {
  const { request, outcome } = attempt;
  return (
    <>
      <Facts
        rows={[
          ['Sender', attempt.holder],
          ['Lease', `token ${attempt.attempt}, ${stateWords[attempt.state].toLowerCase()}`],
          ['Began', <Ago key="began" at={attempt.startedAt} />],
          ['Took', <Duration key="took" from={attempt.startedAt} to={attempt.endedAt} />],
          ['Replayed for', attempt.replay?.by],
          ['Outcome', sentenceOf(attempt)],
        ]}
      />
      {request && <CodeBlock label={`Request of attempt ${attempt.attempt}`} text={requestText(request)} />}
      {outcome?.kind === 'answered' && (
        <CodeBlock label={`Answer to attempt ${attempt.attempt}`} text={answerText(outcome)} />
      )}
    </>
  );
}

const sentenceOf = ({ outcome, state }: Delivery): string =>
  outcome ? `the target ${describeOutcome(outcome)}` : stateWords[state].toLowerCase();
