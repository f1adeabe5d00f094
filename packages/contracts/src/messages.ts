import { type Static, Type } from 'typebox';

/** Messages: what the portal sends besides runs, and what an organization sets about them. */

export const messageKinds = ['approval', 'change', 'dead_letter'] as const;
export type MessageKind = (typeof messageKinds)[number];

export const MessageSettings = Type.Object({
  /** Told about everything that was given up undelivered; null = nobody is. */
  deadLetterUrl: Type.Optional(Type.Union([Type.String({ format: 'uri' }), Type.Null()])),
});
export type MessageSettings = Static<typeof MessageSettings>;
