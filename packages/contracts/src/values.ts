import { Type } from 'typebox';

/** ISO-8601 in UTC with milliseconds, as every reply carries it. */
export const Instant = Type.String({ format: 'date-time' });

/** Actions and automations (spec/actions.md §1.1). */
export const identifierPattern = '^(?!\\.{1,2}$)[\\p{L}0-9@_.+:=-]+$';
export const ActionIdentifier = Type.String({ pattern: identifierPattern, maxLength: 200 });

/** Blueprints (spec/catalog.md §1.1); may contain `/` and `\`, so clients percent-encode it in paths. */
export const BlueprintIdentifier = Type.String({ pattern: '^(?!\\.{1,2}$)[\\p{L}0-9@_.+:\\\\/-]+$', maxLength: 100 });

/** Entities (spec/catalog.md §2.1). */
export const EntityIdentifier = Type.String({ pattern: '^(?!\\.{1,2}$)[\\p{L}0-9@_.+:\\\\/=-]+$', maxLength: 1000 });

/** Names of properties, relations and inputs. */
export const keyPattern = '^[A-Za-z0-9@_=\\\\-]+$';

/** A JSON object whose keys the contract does not name. Key order is kept from request to reply. */
export const Document = Type.Record(Type.String(), Type.Unknown());

/** How many of a list are wanted; each route has its own default. */
export const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));

/** A stretch of time that a list is narrowed to. */
export const Period = {
  from: Type.Optional(Type.String({ format: 'date-time' })),
  to: Type.Optional(Type.String({ format: 'date-time' })),
};

/** Booleans in query strings: real clients send `true`, `false` and sometimes an empty text. */
export const QueryFlag = Type.Boolean();

export const colours = [
  'blue',
  'turquoise',
  'orange',
  'purple',
  'pink',
  'yellow',
  'green',
  'red',
  'gold',
  'silver',
  'paleBlue',
  'darkGray',
  'lightGray',
  'bronze',
  'lime',
  'olive',
  'brown',
] as const;
export const Colour = Type.Enum(colours);
