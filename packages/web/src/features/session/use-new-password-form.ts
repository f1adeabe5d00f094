import { minPasswordLength } from '@quayside/contracts';
import { type FormEvent, useRef, useState } from 'react';
import { asApiError } from '../../api/index.ts';
import { useSetPassword } from './queries.ts';

export function useNewPasswordForm(token: string, onDone: () => void) {
  const [password, setPassword] = useState('');
  const [error, setError] = useState<string | undefined>();
  const field = useRef<HTMLInputElement>(null);
  const set = useSetPassword();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (set.isPending) return;
    if (password.length < minPasswordLength) {
      setError(`${minPasswordLength - password.length} more characters, please`);
      field.current?.focus();
      return;
    }
    set.mutate({ token, password }, { onSuccess: onDone });
  };
  return {
    password,
    error,
    field,
    minLength: minPasswordLength,
    submit,
    isBusy: set.isPending,
    refusal:
      token === ''
        ? 'This address is not complete: a password link ends with # and a long text. Ask an administrator for a new one.'
        : set.error
          ? asApiError(set.error).message
          : undefined,
    set: (value: string) => {
      setPassword(value);
      setError(undefined);
    },
  };
}
