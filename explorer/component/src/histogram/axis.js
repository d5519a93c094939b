// @ts-check
// One group's numbers: how many units lie below a line, and where a line stands on the axis.
// No document here: everything can be computed without a screen.

/** @import { Group, PackedGroup, Scale } from "../types.js" */

const ZERO_ZONE = 0.05; // share of the axis kept for the bar of exact zeros
const JUST_ABOVE_ZERO = 2e-38;

/**
 * Numbers out of base64, little endian.
 * @template {Float32Array | Uint32Array | Uint8Array} T
 * @param {string | undefined} text
 * @param {new (buffer: ArrayBuffer) => T} Type
 * @returns {T}
 */
export function decoded(text, Type) {
  const raw = atob(text ?? "");
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new Type(bytes.buffer);
}

/** What a group without scores has of them. */
const NO_SCORES = { high: 0, start: 0, floor: 0, zeros: 0, exact: false, zero_bar: 0 };

/** @param {PackedGroup} packed @returns {Group} */
export function makeGroup(packed) {
  const filled = { ...NO_SCORES, layers: [], ...packed };
  return {
    ...filled,
    edges: decoded(packed.edges, Float32Array),
    counts: decoded(packed.counts, Uint32Array),
    linear: decoded(packed.linear, Uint8Array),
    log: packed.log ? decoded(packed.log, Uint8Array) : null,
    movable: !packed.why_not && packed.edges !== undefined && packed.n > 0,
    zone: filled.zeros > 0 ? ZERO_ZONE : 0,
  };
}

/**
 * The first index whose value is at least `least`; the length if there is none.
 * @param {ArrayLike<number>} values rising
 * @param {number} least
 */
export function firstAtLeast(values, least) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How many units score below `value`: exact in small groups, between exact points in large ones.
 * @param {Group} group
 * @param {number} value
 */
export function countBelow(group, value) {
  const { edges, counts } = group;
  const i = firstAtLeast(edges, value);
  if (i === 0) return 0;
  if (i === edges.length) return group.n;
  if (group.exact) return counts[i];
  const part = (value - edges[i - 1]) / (edges[i] - edges[i - 1]);
  return Math.round(counts[i - 1] + part * (counts[i] - counts[i - 1]));
}

/**
 * The lowest line that has `n` units below it.
 * @param {Group} group
 * @param {number} n
 */
export function lineFor(group, n) {
  const { edges, counts } = group;
  if (n <= 0) return group.start;
  if (n >= group.n) return edges[edges.length - 1];
  const i = firstAtLeast(counts, n);
  if (group.exact || i === 0 || counts[i] === n) return edges[i];
  const part = (n - counts[i - 1]) / (counts[i] - counts[i - 1]);
  return edges[i - 1] + part * (edges[i] - edges[i - 1]);
}

/**
 * Where `value` stands on the axis, from 0 to 1.
 * @param {Group} group
 * @param {number} value
 * @param {Scale} scale
 */
export function positionOf(group, value, scale) {
  if (value <= group.start) return 0;
  if (value > group.high) return 1;
  let part;
  if (scale === "log" && group.log) part = Math.log(value / group.floor) / Math.log(group.high / group.floor);
  else part = (value - group.start) / (group.high - group.start);
  return group.zone + (1 - group.zone) * Math.min(1, Math.max(0, part));
}

/**
 * The value at a place on the axis: the inverse of `positionOf`.
 * @param {Group} group
 * @param {number} position
 * @param {Scale} scale
 */
export function valueAt(group, position, scale) {
  const top = group.edges[group.edges.length - 1];
  if (position <= 0) return group.start;
  if (position >= 1) return top;
  if (position < group.zone) return position < group.zone / 2 ? group.start : Math.min(JUST_ABOVE_ZERO, top);
  const part = (position - group.zone) / (1 - group.zone);
  if (scale === "log" && group.log) return group.floor * (group.high / group.floor) ** part;
  const value = group.start + part * (group.high - group.start);
  return group.zeros > 0 ? Math.max(value, JUST_ABOVE_ZERO) : value;
}

/**
 * The bar of exact zeros in pixels, from the left end and the bottom; nothing where there is none.
 * @param {Group} group
 * @param {number} width
 * @param {number} height
 */
export function zeroBar(group, width, height) {
  if (!group.zone || !group.zero_bar) return { width: 0, height: 0 };
  return { width: Math.max(2, Math.round(group.zone * width) - 3), height: barHeight(group.zero_bar, height) };
}

/**
 * The outline of all bars in pixels, the bar of zeros among them.
 * @param {Group} group
 * @param {Scale} scale
 * @param {number} width
 * @param {number} height
 */
export function barsPath(group, scale, width, height) {
  const heights = scale === "log" && group.log ? group.log : group.linear;
  const left = group.zone * width;
  const step = (width - left) / heights.length;
  const gap = step >= 3 ? 1 : 0;
  let path = group.zone ? bar(0, zeroBar(group, width, height).width, group.zero_bar, height) : "";
  heights.forEach((level, i) => {
    const from = Math.round(left + i * step);
    path += bar(from, Math.max(from + 1, Math.round(left + (i + 1) * step) - gap), level, height);
  });
  return path;
}

/** @param {number} level 0 to 255 @param {number} height */
function barHeight(level, height) {
  return Math.max(1.5, (level / 255) * height);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} level 0 to 255
 * @param {number} height
 */
function bar(from, to, level, height) {
  if (!level) return "";
  const top = height - barHeight(level, height);
  return `M${from} ${height}V${top.toFixed(1)}H${to}V${height}Z`;
}

/**
 * A strip's cost at a share, from 0 to 1, or null where it is unknown.
 * @param {ArrayLike<number>} levels
 * @param {number} share
 */
export function costAt(levels, share) {
  const place = share * (levels.length - 1);
  const before = levels[Math.floor(place)];
  const after = levels[Math.ceil(place)];
  if (before === 255 || after === 255 || before === undefined || after === undefined) return null;
  return (before + (place - Math.floor(place)) * (after - before)) / 254;
}
