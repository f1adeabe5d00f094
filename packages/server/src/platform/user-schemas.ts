import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/**
 * Values against JSON Schemas that users wrote (properties of blueprints). Compiling costs about a millisecond and is kept by
 * the schema's text, at most `maxKept`; Ajv's own cache is by object and would only grow.
 */
export interface ValueMistake {
  /** Steps below the checked value. */
  path: string[];
  message: string;
}
export type CheckValue = (schema: Readonly<Record<string, unknown>>, value: unknown) => ValueMistake[];

/** How patterns are matched: within a bound that all patterns of one check share, and never by the host's backtracking. */
export interface Patterns<Work> {
  begin(): Work;
  /** With a reason, where it can not be told. */
  matches(pattern: string, text: string, work: Work): boolean | { reason: string };
}

class Unmatched extends Error {}

const maxKept = 2_000;
const withFormats = addFormats as unknown as (ajv: Ajv) => Ajv;

export function createValueCheck<Work>(patterns: Patterns<Work>): CheckValue {
  // Of the check that runs now: checks are synchronous, and Ajv hands nothing through to its patterns.
  let work: Work;
  const regExp = Object.assign(
    (pattern: string) => ({
      test(text: string): boolean {
        const isMatch = patterns.matches(pattern, text, work);
        if (typeof isMatch !== 'boolean') throw new Unmatched(`its pattern ${pattern} ${isMatch.reason}`);
        return isMatch;
      },
      // Ajv keeps what it compiled under this text.
      toString: () => pattern,
    }),
    { code: 'patterns of Quayside' },
  );
  const ajv = withFormats(
    new Ajv({
      allErrors: true,
      strict: false,
      logger: false,
      validateSchema: false,
      addUsedSchema: false,
      code: { regExp },
    }),
  );
  ajv.addFormat('url', (text: string) => URL.canParse(text));
  ajv.addFormat('timer', (text: string) => !Number.isNaN(Date.parse(text)));
  const kept = new Map<string, ValidateFunction | Error>();

  function validatorOf(schema: Readonly<Record<string, unknown>>): ValidateFunction | Error {
    const text = JSON.stringify(schema);
    let validate = kept.get(text);
    if (!validate) {
      if (kept.size >= maxKept) kept.clear();
      validate = compile(ajv, schema);
      kept.set(text, validate);
      ajv.removeSchema(schema);
    }
    return validate;
  }

  return (schema, value) => {
    // A computed list may be empty; JSON Schema does not allow that.
    if (Array.isArray(schema.enum) && schema.enum.length === 0)
      return [{ path: [], message: 'has no choices at the moment.' }];
    const validate = validatorOf(schema);
    if (validate instanceof Error)
      return [
        { path: [], message: `can not be checked, because its definition is not a valid schema: ${validate.message}` },
      ];
    work = patterns.begin();
    try {
      if (validate(value)) return [];
    } catch (error) {
      if (!(error instanceof Unmatched)) throw error;
      return [{ path: [], message: `can not be checked, because ${error.message}.` }];
    }
    return (validate.errors ?? []).map((error) => ({
      path: error.instancePath.split('/').slice(1),
      message: sentence(error),
    }));
  };
}

function compile(ajv: Ajv, schema: Readonly<Record<string, unknown>>): ValidateFunction | Error {
  try {
    return ajv.compile(schema);
  } catch (error) {
    return error as Error;
  }
}

function sentence(error: ErrorObject): string {
  if (error.keyword === 'enum') {
    const allowed = (error.params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', ');
    return `must be one of ${allowed}.`;
  }
  return `${error.message ?? 'is invalid'}.`;
}
