/** A text to be searched, with positions in code points. */
export interface Text {
  source: string;
  /** The code points, when the text holds surrogates; otherwise code units are code points. */
  points: Uint32Array | undefined;
  length: number;
}

export function readText(source: string): Text {
  if (!/[\ud800-\udfff]/.test(source)) return { source, points: undefined, length: source.length };
  const points = new Uint32Array(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index++) {
    const code = source.codePointAt(index) ?? 0;
    points[length++] = code;
    if (code > 0xffff) index++;
  }
  return { source, points: points.subarray(0, length), length };
}
