import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import '@mantine/core/styles.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { type RouterHistory, RouterProvider } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { createQueryClient } from './api/index.ts';
import { meQuery } from './features/session/index.ts';
import { createAppRouter } from './router.tsx';
import './ui/base.css';
import { cssVariables, theme } from './ui/index.ts';

const colorSchemes = localStorageColorSchemeManager({ key: 'quayside-colour-scheme' });

/** `history` is given in tests; in a browser the address bar is used. */
export function App({ history }: { history?: RouterHistory }): ReactNode {
  const [{ queryClient, router }] = useState(() => createClients(history));
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemes}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}

function createClients(history: RouterHistory | undefined) {
  const queryClient = createQueryClient(() => {
    queryClient.removeQueries({ queryKey: meQuery.queryKey });
    const { href, pathname } = router.state.location;
    if (pathname !== '/login' && pathname !== '/password')
      void router.navigate({ to: '/login', search: { from: href } });
  });
  const router = createAppRouter(queryClient);
  if (history) router.update({ ...router.options, history });
  return { queryClient, router };
}
