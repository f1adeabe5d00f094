import { type ComponentProps, lazy, type ReactNode, Suspense } from 'react';

/** The form brings the expression engine, half of the portal's code: loaded beside the pages, not before them. */
const load = () => import('./action-form.tsx');
const Form = lazy(() => load().then((file) => ({ default: file.ActionForm })));

export function ActionForm(props: ComponentProps<typeof Form>): ReactNode {
  return (
    <Suspense fallback={null}>
      <Form {...props} />
    </Suspense>
  );
}

/** Called when a page shows something that opens a form, so that the first click need not wait. */
export function preloadActionForm(): void {
  void load();
}
