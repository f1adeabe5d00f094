import { kafkaRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import type { KafkaAccess } from './service.ts';

export function serveKafka(http: Http, access: Pick<KafkaAccess, 'readCredentials'>): void {
  http.serve(kafkaRoutes.credentials, async ({ world }) => ({ credentials: await access.readCredentials(world) }));
}
