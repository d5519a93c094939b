// @ts-check
// Which rows are shown, in which order and under which names. No document here.

/** @import { Group, Order } from "../types.js" */
/** @import { Standing } from "./standing.js" */

const LONGEST = 15; // characters of a layer's name that fit beside its histogram

/**
 * Sums over rows; those that can never be pruned do not count.
 * @param {Standing[]} all
 */
export function totals(all) {
  const rows = all.filter((row) => row.group.movable);
  const n = rows.reduce((sum, row) => sum + row.group.n, 0);
  const pruned = rows.reduce((sum, row) => sum + row.n, 0);
  const exact = rows.every((row) => row.exact);
  return { n, pruned, exact, share: n ? pruned / n : 0 };
}

/**
 * Under its block's heading a long name may leave the block out; the whole name is its title.
 * @param {Group[]} groups of one block
 * @returns {string[]}
 */
export function shortNames(groups) {
  const long = groups.some((group) => group.name.length > LONGEST);
  return groups.map((group) => {
    const prefix = `${group.block}.`;
    return long && group.name.startsWith(prefix) ? group.name.slice(prefix.length) : group.name;
  });
}

/**
 * Whether a search finds this group: by its name, its block, its kind or its layers.
 * @param {Group} group
 * @param {string} query
 */
export function matches(group, query) {
  const part = query.trim().toLowerCase();
  if (part === "") return true;
  const names = [group.name, group.block, group.kind, ...group.layers];
  return names.some((name) => name.toLowerCase().includes(part));
}

/**
 * The mean cost over a strip's levels; rows that were not scanned come last.
 * @param {Standing} row
 */
function dearness(row) {
  if (!row.levels) return -1;
  return row.levels.reduce((sum, cost) => sum + (cost === 255 ? 0 : cost), 0) / row.levels.length;
}

/** @type {Record<Exclude<Order, "model">, (row: Standing) => number>} */
const KEYS = { size: (row) => row.group.n, sparsity: (row) => row.share, sensitivity: dearness };

/**
 * The highest first; equals as in the model.
 * @template {Standing} T
 * @param {T[]} rows in the model's order
 * @param {Exclude<Order, "model">} order
 */
export function sorted(rows, order) {
  const key = KEYS[order];
  return [...rows].sort((a, b) => key(b) - key(a));
}
