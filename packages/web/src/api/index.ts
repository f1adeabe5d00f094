export { call, urlOf } from './call.ts';
export { ApiError, asApiError } from './error.ts';
export { createQueryClient } from './query-client.ts';
