export {
  type Budget,
  builtinNames,
  type CompileOptions,
  compile,
  DEFAULT_BUDGET,
  type ErrorKind,
  type EvaluateOptions,
  ExpressionError,
  type Outcome,
  type Position,
  Program,
} from './jq/index.ts';
export type { Json } from './json.ts';
