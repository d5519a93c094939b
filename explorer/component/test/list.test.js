// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { matches, shortNames, sorted, totals } from "../src/histogram/list.js";
import { Standing } from "../src/histogram/standing.js";
import { groupOf } from "./groups.js";

/** @import { PackedGroup } from "../src/types.js" */

const SCORES = [0.125, 0.25, 0.5, 1];

/** @param {string} name @param {Partial<PackedGroup>} [more] @param {Partial<Standing>} [state] */
function row(name, more = {}, state = {}) {
  return Object.assign(new Standing(groupOf(SCORES, { name, ...more })), state);
}

/** @param {Standing[]} rows */
const names = (rows) => rows.map((each) => each.group.name);

test("the total leaves out rows that can never be pruned", () => {
  const rows = [row("a", {}, { n: 2 }), row("norm", { why_not: "Too small." }, { n: 0 })];
  assert.deepEqual(totals(rows), { n: 4, pruned: 2, exact: true, share: 0.5 });
});

test("one estimated row makes the total an estimate", () => {
  assert.equal(totals([row("a"), row("b", {}, { exact: false })]).exact, false);
});

test("the share of nothing is nothing", () => {
  assert.equal(totals([]).share, 0);
});

test("a search finds names, blocks, kinds and layers, in any case", () => {
  const { group } = row("conv1", { block: "Stem", kind: "Conv2d", layers: ["conv1", "bn1"] });
  for (const query of ["CONV1", "stem", "conv2d", "bn1", "  tem ", ""]) assert.equal(matches(group, query), true, query);
  assert.equal(matches(group, "linear"), false);
});

test("long names leave out their block, all of a block or none", () => {
  const long = [row("features.block.conv1", { block: "features.block" }), row("other", { block: "features.block" })];
  assert.deepEqual(shortNames(long.map((each) => each.group)), ["conv1", "other"]);
  const short = [row("fc.one", { block: "fc" }), row("fc.two", { block: "fc" })];
  assert.deepEqual(shortNames(short.map((each) => each.group)), ["fc.one", "fc.two"]);
});

test("rows are sorted by size, by what goes and by cost, the highest first", () => {
  const a = row("a", {}, { n: 1, levels: new Uint8Array([10, 255]) });
  const b = row("b", { n: 900 }, { n: 90, levels: new Uint8Array([40, 60]) });
  const c = row("c", {}, { n: 3 });
  assert.deepEqual(names(sorted([a, b, c], "size")), ["b", "a", "c"]);
  assert.deepEqual(names(sorted([a, b, c], "sparsity")), ["c", "a", "b"]);
  assert.deepEqual(names(sorted([a, b, c], "sensitivity")), ["b", "a", "c"]);
});

test("sorting leaves the rows themselves in the order of the model", () => {
  const rows = [row("a", {}, { n: 1 }), row("b", {}, { n: 3 })];
  sorted(rows, "sparsity");
  assert.deepEqual(names(rows), ["a", "b"]);
});
