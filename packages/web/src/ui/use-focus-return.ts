import { useEffect, useState } from 'react';

/** What had the focus when this appeared gets it back when it goes, so that the keyboard goes on where it was. */
export function useFocusReturn(): void {
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // After the dialog has let go of the focus. An opener that went with its page has nothing to get back.
      setTimeout(() => {
        if (opener instanceof HTMLElement && opener.isConnected && document.activeElement === document.body)
          opener.focus();
      });
    },
    [opener],
  );
}
