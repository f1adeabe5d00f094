import type { AutomationTrigger } from '@quayside/contracts';
import { type Complete, completeJson } from '../../ui/complete-text.ts';
import { useBlueprints } from '../blueprints/index.ts';
import { useSecretNames } from '../secrets/index.ts';
import { eventWritten } from './document.ts';
import { sampleContext, sampleEvent } from './sample.ts';

type Event = AutomationTrigger['event'];

/** What conditions and templates of an automation could see, made up from the blueprint. */
export function useSamples(event: Event) {
  const { data: blueprints = [] } = useBlueprints();
  const secrets = useSecretNames();
  return { event: sampleEvent(event, blueprints), context: sampleContext(event, blueprints, secrets) };
}

/** Conditions see the event itself, templates see it as `.event`: the one that the text names, or else `event`. */
export function useCompletion(event: Event): Complete {
  const { data: blueprints = [] } = useBlueprints();
  const secrets = useSecretNames();
  return (text, caret) => {
    const about = eventWritten(text) ?? event;
    const programs = sampleEvent(about, blueprints);
    return completeJson({ templates: sampleContext(about, blueprints, secrets), programs })(text, caret);
  };
}
