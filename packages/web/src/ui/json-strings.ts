/**
 * Every string of a JSON text with its path and where it stands, so that what is wrong inside a string can be underlined
 * in the text that a person sees. Reads valid JSON only.
 */
export interface JsonString {
  path: readonly (string | number)[];
  isKey: boolean;
  value: string;
  /** Offset of the opening quote. */
  start: number;
}

export function jsonStrings(text: string): JsonString[] {
  const found: JsonString[] = [];
  let at = 0;
  const skip = (): void => {
    while (/[\s,:]/.test(text[at] ?? '')) at++;
  };
  const readString = (path: readonly (string | number)[], isKey: boolean): string => {
    const start = at;
    at++;
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at++;
    const value = JSON.parse(text.slice(start, at)) as string;
    found.push({ path: isKey ? [...path, value] : path, isKey, value, start });
    return value;
  };
  const read = (path: readonly (string | number)[]): void => {
    skip();
    const character = text[at];
    if (character === '"') readString(path, false);
    else if (character === '{') {
      at++;
      for (skip(); at < text.length && text[at] !== '}'; skip()) read([...path, readString(path, true)]);
      at++;
    } else if (character === '[') {
      at++;
      skip();
      for (let index = 0; at < text.length && text[at] !== ']'; index++) {
        read([...path, index]);
        skip();
      }
      at++;
    } else while (at < text.length && /[^\s,:\]}]/.test(text[at] ?? '')) at++;
  };
  read([]);
  return found;
}

/** Where the character `offset` of the string stands in the text: escapes are longer there. */
export function offsetInText(text: string, string: JsonString, offset: number): number {
  let at = string.start + 1;
  for (let index = 0; index < offset && at < text.length; index++)
    at += text[at] === '\\' ? (text[at + 1] === 'u' ? 6 : 2) : 1;
  return at;
}
