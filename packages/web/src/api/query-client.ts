import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './error.ts';

/** `onSignedOut` runs once per 401, whichever question got it: the session ended while the page was open. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 401) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: (error, query) => query.meta?.isSessionCheck !== true && onError(error) }),
    mutationCache: new MutationCache({
      onError: (error, _v, _c, mutation) => mutation.meta?.isSignIn !== true && onError(error),
    }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // A refusal will be the same next time; only an absent or overloaded server is worth asking again.
        retry: (count, error) =>
          count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
        retryDelay: (count) => Math.min(500 * 2 ** count, 4_000),
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}
