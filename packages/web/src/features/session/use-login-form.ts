import { type FormEvent, useRef, useState } from 'react';
import { asApiError } from '../../api/index.ts';
import { useSignIn } from './queries.ts';

type Field = 'email' | 'password';

export function useLoginForm(onSignedIn: () => void) {
  const [values, setValues] = useState<Record<Field, string>>({ email: '', password: '' });
  const [errors, setErrors] = useState<Partial<Record<Field, string>>>({});
  const refs = { email: useRef<HTMLInputElement>(null), password: useRef<HTMLInputElement>(null) };
  const signIn = useSignIn();

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (signIn.isPending) return;
    const found: Partial<Record<Field, string>> = {};
    if (!values.email.trim()) found.email = 'Enter your e-mail address';
    if (!values.password) found.password = 'Enter your password';
    setErrors(found);
    const first = (['email', 'password'] as const).find((field) => found[field]);
    if (first) {
      refs[first].current?.focus();
      return;
    }
    signIn.mutate(
      { email: values.email.trim(), password: values.password },
      {
        onSuccess: onSignedIn,
        onError: () => {
          refs.password.current?.focus();
          refs.password.current?.select();
        },
      },
    );
  };
  const set = (field: Field) => (value: string) => {
    setValues((all) => ({ ...all, [field]: value }));
    setErrors((all) => ({ ...all, [field]: undefined }));
  };
  return {
    values,
    errors,
    refs,
    set,
    submit,
    isBusy: signIn.isPending,
    refusal: signIn.error ? describe(signIn.error) : undefined,
  };
}

function describe(error: unknown): string {
  const refusal = asApiError(error);
  // The server does not say which of the two is wrong, and neither do we.
  return refusal.status === 401 ? 'E-mail or password is not right. Check both and try again.' : refusal.message;
}
