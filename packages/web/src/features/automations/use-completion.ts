import type { AutomationTrigger } from '@quayside/contracts';
import { type Complete, completeJson } from '../../ui/complete-text.ts';
import { useBlueprints } from '../blueprints/index.ts';
import { useSecretNames } from '../secrets/index.ts';
import { sampleContext, sampleEvent } from './sample.ts';

/** Conditions see the event itself, templates see it as `.event`. */
export function useCompletion(event: AutomationTrigger['event']): Complete {
  const { data: blueprints = [] } = useBlueprints();
  const secrets = useSecretNames();
  return completeJson({
    templates: sampleContext(event, blueprints, secrets),
    programs: sampleEvent(event, blueprints),
  });
}
