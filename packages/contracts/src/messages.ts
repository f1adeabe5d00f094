import { type Static, Type } from 'typebox';

/** Messages: what the portal sends besides runs, and what an organization sets about them. */

export const messageKinds = ['approval', 'change', 'dead_letter'] as const;
export type MessageKind = (typeof messageKinds)[number];

export const MessageSettings = Type.Object({
  /** Told about everything that was given up undelivered; null = nobody is. */
  deadLetterUrl: Type.Optional(Type.Union([Type.String({ format: 'uri' }), Type.Null()])),
  /** How long the records of deliveries are kept, in days; 90 unless set. */
  deliveryRetentionDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
});
export type MessageSettings = Static<typeof MessageSettings>;
