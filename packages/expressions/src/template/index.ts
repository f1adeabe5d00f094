import type { Json } from '../json.ts';
import { compileDocument, type Node } from './compile.ts';
import { TemplateError } from './error.ts';
import { type Rendered, Rendering, type RenderOptions } from './render.ts';
import { maskedContext, pathsThatDiffer, type SecretRender, type Secrets } from './secrets.ts';

export { TemplateError, type TemplateErrorCode } from './error.ts';
export { formatPath, type JsonPath } from './path.ts';
export { DEFAULT_RENDER_BYTES, DEFAULT_RENDER_STEPS, type Rendered, type RenderOptions } from './render.ts';
export { scanTemplate } from './scan.ts';
export { maskedContext, SECRET_MASK, type SecretRender, type Secrets } from './secrets.ts';

/**
 * A JSON document whose strings and keys may hold `{{ jq }}` blocks (spec/actions.md §1.12), compiled once.
 * A template keeps no state between renders and may be used concurrently.
 */
export interface Template {
  /** Strings that are not templates. When there is one, every render fails with the first. */
  readonly mistakes: readonly TemplateError[];
  /**
   * Renders for a context (spec/actions.md §1.13). A block that fails gives null; braces, keys, spreads and budgets fail
   * the render. `value` is undefined when the document is one string whose only block has no output.
   */
  render(context: Json, options?: RenderOptions): Rendered;
  /**
   * Renders with secrets and says what may be stored. `context` must not hold them itself.
   */
  renderWithSecrets(context: { [key: string]: Json }, secrets: Secrets, options?: RenderOptions): SecretRender;
  /**
   * Every mistake and every block that fails for this context, with path and position; for Test JQ and previews. jq's
   * messages quote values: show them to people only for a context from `maskedContext`.
   */
  diagnose(context: Json, options?: RenderOptions): TemplateError[];
}

/** Never throws for a bad template; see `mistakes`. Strings and programs are cached across templates. */
export function compileTemplate(document: Json): Template {
  const { root, mistakes } = compileDocument(document);
  return {
    mistakes,
    render: (context, options = {}) => render(root, mistakes, context, options),
    renderWithSecrets(context, secrets, options = {}) {
      // Both renders must see the same clock, or every use of `now` would look like a secret.
      const moment = (options.now ?? Date.now)();
      const fixed: RenderOptions = { ...options, now: () => moment };
      const sent = render(root, mistakes, { ...context, secrets: { ...secrets } }, fixed);
      if (Object.keys(secrets).length === 0) return { sent, stored: sent, secretPaths: [] };
      const stored = render(root, mistakes, maskedContext(context, secrets), fixed);
      return { sent, stored, secretPaths: pathsThatDiffer(sent, stored) };
    },
    diagnose(context, options = {}) {
      const found = [...mistakes];
      try {
        new Rendering(context, options, (error) => found.push(error)).node(root, []);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        found.push(error);
      }
      return found;
    },
  };
}

function render(root: Node, mistakes: readonly TemplateError[], context: Json, options: RenderOptions): Rendered {
  const [mistake] = mistakes;
  if (mistake !== undefined) return { ok: false, error: mistake };
  try {
    return { ok: true, value: new Rendering(context, options).node(root, []) };
  } catch (error) {
    if (error instanceof TemplateError) return { ok: false, error };
    throw error;
  }
}
