import type { DeliveryRequest } from '@quayside/contracts';
import { deliveryHeaders, maxRecordedBody } from '@quayside/contracts/delivery-rules';
import { displayUrl, type PreparedRequest, type SignedRequest } from './prepare.ts';

/**
 * A request as the ledger keeps it. Masked are values by the names they go under: headers, and texts in a JSON body. What
 * has a harmless name is shown, so whoever knows the secrets themselves hides those, too (`hideSecrets` of the agent and of
 * runs). Cost: what is kept of the body, however large it is.
 */
const mask = '******';
const secretName =
  /auth|token|secret|passw|pwd|credential|cookie|signature|session|api[-_]?key|private[-_]?key|access[-_]?key|(?:^|-)key$/i;
/** A key of a JSON object and its text; the text may end where the body was cut. */
const secretText =
  /("[^"\\]{0,100}(?:authorization|token|secret|passw|pwd|credential|api[-_]?key|private[-_]?key|access[-_]?key)[^"\\]{0,100}"\s*:\s*")(?:[^"\\]|\\.)*("|\\?$)/gi;

/** Does what goes under this name tend to be a secret? */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && name.toLowerCase() !== deliveryHeaders.idempotencyKey.toLowerCase();
}

export function recordRequest({ method, url, headers, body }: PreparedRequest | SignedRequest): DeliveryRequest {
  return {
    method,
    url: displayUrl(url),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, isSecretName(name) ? mask : value]),
    ),
    ...recordBody(body),
  };
}

/** The beginning of a body, for the record of what is sent in another way than over HTTP, too. */
export function recordBody(body: string | undefined): Pick<DeliveryRequest, 'body' | 'isBodyTruncated'> {
  if (body === undefined) return {};
  const isBodyTruncated = body.length > maxRecordedBody;
  const kept = isBodyTruncated ? body.slice(0, maxRecordedBody) : body;
  // NUL can not be stored, and half a surrogate pair is no text.
  const text = kept.replace(secretText, `$1${mask}$2`).replaceAll('\\u0000', '\\ufffd').toWellFormed();
  return { body: text, ...(isBodyTruncated ? { isBodyTruncated } : {}) };
}
