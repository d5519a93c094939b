// @ts-check
// Groups for the tests, packed as explorer/component/payload.py packs them.

import { makeGroup } from "../src/histogram/axis.js";

/** @import { PackedGroup } from "../src/types.js" */

/** @param {Float32Array | Uint32Array | Uint8Array} numbers */
const base64 = (numbers) => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("base64");

/**
 * @param {number[]} edges
 * @param {number[]} counts below each edge
 * @returns {PackedGroup}
 */
export function packed(edges, counts) {
  return {
    ...{ name: "a", unit: "weight", n: counts[counts.length - 1], weights: 1, block: "block", kind: "Linear" },
    ...{ low: edges[0], high: edges[edges.length - 1], start: 0, floor: edges[0], zeros: 0, exact: true },
    edges: base64(new Float32Array(edges)),
    counts: base64(new Uint32Array(counts)),
    linear: base64(new Uint8Array([255])),
    log: base64(new Uint8Array([255])),
    zero_bar: 0,
  };
}

/**
 * A small group with every one of its scores in the table.
 * @param {number[]} scores rising, of float32
 * @param {Partial<PackedGroup>} [more]
 */
export function groupOf(scores, more = {}) {
  const edges = [...new Set(scores), scores[scores.length - 1] * (1 + 2 ** -22)];
  const counts = edges.map((edge) => scores.filter((score) => score < edge).length);
  const zeros = scores.filter((score) => score === 0).length;
  const low = scores[zeros];
  return makeGroup({ ...packed(edges, counts), high: scores[scores.length - 1], low, floor: low, zeros, ...more });
}
