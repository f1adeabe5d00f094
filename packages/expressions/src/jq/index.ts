export { builtinNames } from './builtins/index.ts';
export { type ErrorKind, ExpressionError, type Position } from './errors.ts';
export { type Budget, DEFAULT_BUDGET } from './machine.ts';
export type { ModuleReader } from './modules.ts';
export { type CompileOptions, compile, type EvaluateOptions, type Outcome, Program } from './program.ts';
