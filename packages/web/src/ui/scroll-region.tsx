import type { CSSProperties, ReactNode, Ref } from 'react';

/** Whatever scrolls on its own must be reachable by keyboard and have a name (WCAG 2.1.1). */
export function ScrollRegion({
  label,
  className = 'q-scroll',
  style,
  ref,
  children,
}: {
  label: string;
  className?: string;
  style?: CSSProperties;
  ref?: Ref<HTMLElement>;
  children: ReactNode;
}): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the one place where it is meant
    <section ref={ref} className={className} style={style} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
