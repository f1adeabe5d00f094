import { stringify } from 'jsurl2';

/** An address that opens the form filled in: the published way, which `parseSelfServeSearch` reads (search.ts). */
export function formLink(
  origin: string,
  action: string,
  values: Readonly<Record<string, unknown>>,
  target: string | undefined,
): string {
  const inputs = target === undefined ? values : { ...values, $targetEntity: target };
  const query = new URLSearchParams({ action });
  if (Object.keys(inputs).length > 0) query.set('actionInputs', stringify(inputs));
  return `${origin}/self-serve?${query}`;
}
