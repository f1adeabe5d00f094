import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/**
 * Values against JSON Schemas that users wrote (inputs of actions, properties of blueprints). Compiling costs about a
 * millisecond and is kept by the schema's text, at most `maxKept`; Ajv's own cache is by object and would only grow.
 *
 * A pattern is the host's regular expression: inputs are checked one request at a time and are at most 1 MiB long.
 */
export interface ValueMistake {
  /** Steps below the checked value. */
  path: string[];
  message: string;
}
export type CheckValue = (schema: Readonly<Record<string, unknown>>, value: unknown) => ValueMistake[];

const maxKept = 2_000;
const withFormats = addFormats as unknown as (ajv: Ajv) => Ajv;

export function createValueCheck(): CheckValue {
  const ajv = withFormats(
    new Ajv({ allErrors: true, strict: false, logger: false, validateSchema: false, addUsedSchema: false }),
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
    if (validate(value)) return [];
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
