import { Box, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';

interface PageProps {
  title: string;
  /** Shown instead of `title` where the heading carries more than text; `title` still names the tab. */
  heading?: ReactNode;
  lead?: ReactNode;
  above?: ReactNode;
  actions?: ReactNode;
  maxWidth?: number;
  children: ReactNode;
}

/** Every page: one h1 that takes the focus when the page opens, so that keyboard and screen reader start at the top. */
export function Page({ title, heading, lead, above, actions, maxWidth = 1320, children }: PageProps): ReactNode {
  const headingRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Quayside`;
  }, [title]);
  useEffect(() => {
    // A form or search that asked for the focus first keeps it.
    if (document.activeElement === document.body || document.activeElement === null) {
      headingRef.current?.focus({ preventScroll: true });
    }
  }, []);
  return (
    <Box maw={maxWidth} mx="auto" px={{ base: 'sm', sm: 'lg' }} py={{ base: 'sm', sm: 'lg' }}>
      {above}
      <Group justify="space-between" align="flex-start" mb="md" gap="sm">
        <Box miw={0} flex="1 1 240px">
          <Title order={1} ref={headingRef} tabIndex={-1} className="q-wrap">
            {heading ?? title}
          </Title>
          {lead && (
            <Text c="dimmed" size="sm" mt={2} component="div">
              {lead}
            </Text>
          )}
        </Box>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Box>
  );
}

export function Panel({
  title,
  heading,
  extra,
  children,
  isFlush = false,
}: {
  title: string;
  /** Shown instead of `title`, which still names the region. */
  heading?: ReactNode;
  extra?: ReactNode;
  children: ReactNode;
  isFlush?: boolean;
}): ReactNode {
  return (
    <section className="q-panel" aria-label={title}>
      <div className="q-panel-head">
        <Title order={2} flex={1}>
          {heading ?? title}
        </Title>
        {extra}
      </div>
      <div className={isFlush ? '' : 'q-panel-body'}>{children}</div>
    </section>
  );
}
