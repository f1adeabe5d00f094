const FIRST_OF_LENGTH = [0, 0, 0x80, 0x800, 0x10000] as const;

/** How many bytes a lead byte announces; 0: it is none. */
function announced(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc2) return 0;
  if (byte < 0xe0) return 2;
  if (byte < 0xf0) return 3;
  return byte < 0xf5 ? 4 : 0;
}

/**
 * Decodes bytes as jq does, which differs from TextDecoder in what one replacement character stands for: a sequence
 * cut off at the end is one, a sequence that breaks off in the middle is one for the part before the break.
 */
export function decodeUtf8(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] as number;
    let length = announced(lead);
    let point = -1;
    if (length === 0) length = 1;
    else if (at + length > bytes.length) length = bytes.length - at;
    else if (length === 1) point = lead;
    else {
      point = lead & (0x7f >> length);
      for (let offset = 1; offset < length; offset++) {
        const byte = bytes[at + offset] as number;
        if ((byte & 0xc0) !== 0x80) {
          point = -1;
          length = offset;
          break;
        }
        point = (point << 6) | (byte & 0x3f);
      }
      if (point < (FIRST_OF_LENGTH[length] ?? 0) || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff)
        point = -1;
    }
    text += point < 0 ? '\ufffd' : String.fromCodePoint(point);
    at += length;
  }
  return text;
}
