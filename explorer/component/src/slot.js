// @ts-check
// Where the two scripts on a Streamlit page find each other, and only the same version of each other.

/** @import { Mount } from "./types.js" */

/** @typedef {{ mount: Mount, css: string }} Core */
/** @typedef {PromiseWithResolvers<Core>} Slot */

const SLOT = Symbol.for(`pruning-explorer.histogram.${VERSION}`);

/** @returns {Slot} */
export function slot() {
  const page = /** @type {Record<symbol, Slot>} */ (/** @type {unknown} */ (globalThis));
  return (page[SLOT] ??= Promise.withResolvers());
}
