import { type Static, Type } from 'typebox';

/** How long an organization keeps what grows with every run; null = for ever, absent = the default. */

const Days = Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 3650 }), Type.Null()]));

export const RetentionSettings = Type.Object({
  retention: Type.Optional(
    Type.Object(
      {
        /** The ledger: attempts with request and answer. */
        deliveriesDays: Days,
        /** What notifications and changes said; without it they can not be replayed. */
        messageBodiesDays: Days,
        /** Log lines of runs that have ended. */
        runLogsDays: Days,
        /** Records of the audit log, and with them the history of entities. */
        auditDays: Days,
      },
      { additionalProperties: false },
    ),
  ),
});
export type RetentionSettings = Static<typeof RetentionSettings>;
export type Retention = NonNullable<RetentionSettings['retention']>;

export const defaultRetention = {
  deliveriesDays: 90,
  messageBodiesDays: 30,
  runLogsDays: 365,
  auditDays: null,
} as const satisfies { [Kind in keyof Required<Retention>]: number | null };
