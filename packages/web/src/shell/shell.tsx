import { Alert, AppShell, Burger, Group, ScrollArea, VisuallyHidden } from '@mantine/core';
import { useDisclosure, useHotkeys, useNetwork } from '@mantine/hooks';
import { IconCloudOff, IconSearch } from '@tabler/icons-react';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { type ReactNode, Suspense, useEffect, useRef } from 'react';
import { LatestRuns } from '../features/runs/index.ts';
import { BrandMark, Loading } from '../ui/index.ts';
import { Navigation } from './navigation.tsx';
import { Palette } from './palette.tsx';
import './shell.css';
import { UserMenu } from './user-menu.tsx';

export function Shell(): ReactNode {
  const [isNavOpen, nav] = useDisclosure(false);
  const [isPaletteOpen, palette] = useDisclosure(false);
  const { online } = useNetwork();
  // Empty list: the palette opens while one types in a field, too.
  useHotkeys([['mod+K', palette.toggle]], []);
  useFocusOnNewPage();
  return (
    <>
      <a className="q-skip" href="#main">
        Skip to the content
      </a>
      <AppShell
        header={{ height: 54 }}
        navbar={{ width: 232, breakpoint: 'sm', collapsed: { mobile: !isNavOpen } }}
        transitionDuration={120}
      >
        <AppShell.Header withBorder style={{ background: 'var(--q-surface)' }}>
          <Group h="100%" px="md" justify="space-between" wrap="nowrap">
            <Group gap="sm" wrap="nowrap">
              <Burger
                opened={isNavOpen}
                onClick={nav.toggle}
                hiddenFrom="sm"
                size="sm"
                aria-label={isNavOpen ? 'Close the menu' : 'Open the menu'}
                aria-expanded={isNavOpen}
              />
              <Link to="/self-serve" className="q-brand" aria-label="Quayside, to the start">
                <BrandMark size={28} />
                Quayside
              </Link>
            </Group>
            <Group gap="sm" wrap="nowrap">
              <button type="button" className="q-find" onClick={palette.open} aria-haspopup="dialog">
                <IconSearch size={16} aria-hidden="true" />
                <VisuallyHidden>Find an action, a blueprint or a page</VisuallyHidden>
                <span className="q-find-text" aria-hidden="true">
                  Find …
                </span>
                <span className="q-kbd" aria-hidden="true">
                  {isApple() ? '⌘' : 'Ctrl'} K
                </span>
              </button>
              <LatestRuns />
              <UserMenu />
            </Group>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar withBorder style={{ background: 'var(--q-surface)' }} component="div">
          <AppShell.Section grow component={ScrollArea} p="xs" type="auto" viewportProps={{ tabIndex: -1 }}>
            <Navigation onNavigate={nav.close} />
          </AppShell.Section>
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1} style={{ outline: 'none' }}>
          {!online && (
            <Alert
              color="yellow"
              variant="light"
              icon={<IconCloudOff size={18} />}
              radius={0}
              p="xs"
              role="status"
              styles={{ message: { color: 'var(--mantine-color-text)' } }}
            >
              You are offline. What you see may be old; it refreshes when the connection is back.
            </Alert>
          )}
          <Suspense fallback={<Loading label="Loading the page" />}>
            <Outlet />
          </Suspense>
        </AppShell.Main>
      </AppShell>
      {isPaletteOpen && <Palette onClose={palette.close} />}
    </>
  );
}

/** A new page takes the focus away from the link that led to it; its heading then takes it (ui/page.tsx). */
function useFocusOnNewPage(): void {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const previous = useRef(path);
  useEffect(() => {
    if (previous.current === path) return;
    previous.current = path;
    const heading = document.querySelector<HTMLElement>('main h1');
    (heading ?? document.getElementById('main'))?.focus({ preventScroll: true });
  }, [path]);
}

function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
