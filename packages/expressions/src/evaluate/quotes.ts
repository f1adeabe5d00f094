/**
 * Single quotes in users' programs. jq has none, but every example of this product's field uses them, so the clients and
 * the server rewrite them before compiling (spec/actions.md §1.12.2, spec/clients.md §1.11). Every rewriting here puts
 * one character in place of one, so positions in an error are positions in what the user wrote.
 */

/** A quote that opens (text start or blank before it, neither blank nor `"` after it) or closes (the mirror image). */
const DELIMITER = /(?<=^|\s)'(?!\s|")|(?<!\s|")'(?=\s|$)/g;

/** The rewriting every client does, with all its consequences: `.a == 'x'` becomes a string, `.a=='x'` breaks. */
export function rewriteQuotes(source: string): string {
  return source.includes("'") ? source.replace(DELIMITER, '"') : source;
}

/** `.properties.'prop-with-dash'`, which the documentation shows although the rewriting above does not cover it. */
const QUOTED_KEY = /\.'([^'"\\]*)'/g;

export function rewriteQuotedKeys(source: string): string {
  return source.replace(QUOTED_KEY, '."$1"');
}
