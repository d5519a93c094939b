// @ts-check
// The large parts that this browser holds, by their digest. They outlive a mount, so that a page
// that comes back is fast.

/** @import { DigestAlone, StaticPart, StripsPart } from "../types.js" */

const LIBRARY_SIZE = 12;

/** @type {Map<string, unknown>} digest -> body, the longest unused first */
const library = new Map();

/** Every digest whose body is here. */
export function held() {
  return [...library.keys()];
}

/**
 * The whole histograms, if there are any and they are here.
 * @param {StaticPart | DigestAlone | null} part
 */
export function wholeStatic(part) {
  if (!part) return null;
  if ("groups" in part) store(part);
  return /** @type {StaticPart | null} */ (library.get(part.digest) ?? null);
}

/**
 * The whole strips, if there are any and they are here.
 * @param {StripsPart | DigestAlone | null} part
 */
export function wholeStrips(part) {
  if (!part) return null;
  if ("levels" in part) store(part);
  return /** @type {StripsPart | null} */ (library.get(part.digest) ?? null);
}

/** @param {DigestAlone} part */
function store(part) {
  library.delete(part.digest);
  library.set(part.digest, part);
  const [oldest] = library.keys();
  if (library.size > LIBRARY_SIZE) library.delete(oldest);
}
