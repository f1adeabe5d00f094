import type { ExpressionError } from '../jq/index.ts';
import { formatPath, type JsonPath } from './path.ts';

export type TemplateErrorCode =
  | 'nested-braces'
  | 'unopened-braces'
  | 'unclosed-braces'
  | 'too-deep'
  | 'key-not-a-string'
  | 'spread-not-an-object'
  | 'budget'
  | 'program';

export interface TemplatePlace {
  /** The whole string that holds the mistake. */
  text: string;
  /** UTF-16 offsets in it. */
  start: number;
  end: number;
}

/**
 * Why a render failed, or (code `program`) why one block gave null. `message` is a whole sentence with the place;
 * `reason` is the part without it.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly code: TemplateErrorCode;
  readonly reason: string;
  /** Where in the template document; the last step is the key itself when the mistake is in a key. */
  readonly path: JsonPath;
  readonly pointer: string;
  readonly place: (TemplatePlace & { line: number; column: number }) | undefined;
  /** The engine's error, when a block caused it. */
  readonly expression: ExpressionError | undefined;

  constructor(
    code: TemplateErrorCode,
    reason: string,
    path: JsonPath,
    place?: TemplatePlace,
    expression?: ExpressionError,
  ) {
    const pointer = formatPath(path);
    super(`${reason} (at ${pointer})`);
    this.code = code;
    this.reason = reason;
    this.path = path;
    this.pointer = pointer;
    this.expression = expression;
    if (place === undefined) this.place = undefined;
    else {
      const before = place.text.slice(0, place.start);
      const line = before.split('\n').length;
      this.place = { ...place, line, column: place.start - before.lastIndexOf('\n') };
    }
  }
}
