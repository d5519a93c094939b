// @ts-check
// The heights of a drawn curve, one above each level. No document here.

/** @typedef {(number | null)[]} Heights */
/** @typedef {{ x: number, y: number }} Place */
/** @typedef {{ from: Place, to: Place, reach: number }} Stroke a level counts as passed from `reach` near */

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * A stroke from one place to another sets every level that it passes.
 * @param {Heights} heights
 * @param {number[]} places where the levels stand, rising
 * @param {Stroke} stroke
 * @returns {Heights}
 */
export function stroked(heights, places, { from, to, reach }) {
  const [left, right] = from.x <= to.x ? [from, to] : [to, from];
  return heights.map((height, i) => {
    const x = places[i];
    if (x < left.x - reach || x > right.x + reach) return height;
    const part = right.x === left.x ? 1 : clamp((x - left.x) / (right.x - left.x), 0, 1);
    return left.y + part * (right.y - left.y);
  });
}

/**
 * What was not drawn gets the height of the nearest level that was.
 * @param {Heights} heights
 * @returns {number[] | null} null where nothing was drawn
 */
export function filled(heights) {
  const drawn = heights.flatMap((height, i) => (height === null ? [] : [i]));
  if (!drawn.length) return null;
  return heights.map((height, i) => {
    const nearest = drawn.reduce((best, at) => (Math.abs(at - i) < Math.abs(best - i) ? at : best));
    return height ?? /** @type {number} */ (heights[nearest]);
  });
}
