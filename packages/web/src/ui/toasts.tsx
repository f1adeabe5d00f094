import { CloseButton, Group, Paper, Portal, Stack, Text } from '@mantine/core';
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';

interface Toast {
  id: number;
  text: string;
  tone: 'info' | 'error';
  action: ReactNode;
}
type ShowToast = (text: string, options?: { tone?: 'info' | 'error'; action?: ReactNode }) => void;

const Context = createContext<ShowToast>(() => undefined);
let nextId = 1;
const shownMs = 8_000;

/** Short news with at most one link. The region is always in the page, so that screen readers hear what is added to it. */
export function ToastProvider({ children }: { children: ReactNode }): ReactNode {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const remove = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback<ShowToast>((text, options = {}) => {
    const toast = { id: nextId++, text, tone: options.tone ?? 'info', action: options.action };
    setToasts((all) => [...all.slice(-3), toast]);
  }, []);
  const value = useMemo(() => show, [show]);
  return (
    <Context value={value}>
      {children}
      <Portal>
        <Stack
          role="status"
          aria-live="polite"
          gap="xs"
          style={{
            position: 'fixed',
            right: 12,
            bottom: 12,
            left: 'auto',
            zIndex: 500,
            maxWidth: 'calc(100vw - 24px)',
          }}
        >
          {toasts.map((toast) => (
            <ToastCard key={toast.id} toast={toast} onClose={remove} />
          ))}
        </Stack>
      </Portal>
    </Context>
  );
}

function ToastCard({ toast, onClose }: { toast: Toast; onClose: (id: number) => void }): ReactNode {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => onClose(toast.id), shownMs);
    return () => clearTimeout(timer);
  }, [isHeld, onClose, toast.id]);
  return (
    <Paper
      withBorder
      shadow="md"
      p="xs"
      pl="md"
      miw={260}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <Group wrap="nowrap" gap="sm">
        <Text size="sm" flex={1} {...(toast.tone === 'error' ? { c: 'var(--mantine-color-error)' } : {})}>
          {toast.text}
        </Text>
        {toast.action}
        <CloseButton size="sm" aria-label="Dismiss" onClick={() => onClose(toast.id)} />
      </Group>
    </Paper>
  );
}

export function useToast(): ShowToast {
  return use(Context);
}
