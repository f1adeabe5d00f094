import { Type } from 'typebox';
import { ok, route } from './route.ts';

export * from './kafka-rules.ts';

/** Kafka: what a consumer needs to read its organization's topics (spec/actions.md §2.9). */
export const kafkaRoutes = {
  credentials: route({
    id: 'kafka.credentials',
    method: 'GET',
    path: '/v1/kafka-credentials',
    summary:
      "Brokers, user and password for the organization's topics; empty user and password where the brokers ask for none",
    can: 'run:claim',
    reply: ok({
      credentials: Type.Object({
        brokers: Type.Array(Type.String()),
        username: Type.String(),
        password: Type.String(),
      }),
    }),
    refusals: ['not_found', 'unavailable'],
  }),
};
