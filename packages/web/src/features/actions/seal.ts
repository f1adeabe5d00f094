import type { UserInputs } from '@quayside/contracts';

/**
 * Inputs that only the backend may read (spec/actions.md §1.8): AES-256-GCM with a fresh key, which is wrapped for the
 * action's public key. base64(IV[12] | wrapped key | ciphertext and tag). Not covered: a page that was tampered with.
 */
export async function sealInputs(
  inputs: UserInputs,
  submitted: Readonly<Record<string, unknown>>,
  /** With defaults: a secret that has one is sealed here as well, the server would have to refuse it in clear. */
  values: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const sealed = { ...submitted };
  for (const [name, { encryption }] of Object.entries(inputs.properties)) {
    const value = values[name];
    if (typeof encryption !== 'object' || value === undefined) continue;
    sealed[name] = await seal(typeof value === 'string' ? value : JSON.stringify(value), encryption.key);
  }
  return sealed;
}

async function seal(clear: string, publicKeyPem: string): Promise<string> {
  const der = fromBase64(publicKeyPem.replace(/-----[^-]+-----|\s/g, ''));
  const publicKey = await crypto.subtle.importKey('spki', der, { name: 'RSA-OAEP', hash: 'SHA-256' }, false, [
    'wrapKey',
  ]);
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const body = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(clear));
  const wrapped = await crypto.subtle.wrapKey('raw', key, publicKey, { name: 'RSA-OAEP' });
  return toBase64([iv, new Uint8Array(wrapped), new Uint8Array(body)]);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function toBase64(parts: readonly Uint8Array[]): string {
  let text = '';
  for (const part of parts) for (const byte of part) text += String.fromCharCode(byte);
  return btoa(text);
}
