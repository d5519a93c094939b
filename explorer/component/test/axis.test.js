// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  barsPath,
  costAt,
  countBelow,
  decoded,
  firstAtLeast,
  lineFor,
  makeGroup,
  positionOf,
  valueAt,
  zeroBar,
} from "../src/histogram/axis.js";
import { groupOf, packed } from "./groups.js";

/** @param {number[]} scores @param {number} value */
const counted = (scores, value) => scores.filter((score) => score < value).length;

test("numbers come out of base64 little endian", () => {
  assert.deepEqual([...decoded("AACAPwAAAMA=", Float32Array)], [1, -2]);
  assert.deepEqual([...decoded("AQAAAP8AAAA=", Uint32Array)], [1, 255]);
});

test("a missing array is an empty one", () => {
  assert.equal(decoded(undefined, Float32Array).length, 0);
});

test("the first index at least a value is where a linear search finds it", () => {
  const values = [0, 1, 1, 3, 7];
  for (const least of [-1, 0, 0.5, 1, 2, 3, 7, 8]) {
    const oracle = values.findIndex((value) => value >= least);
    assert.equal(firstAtLeast(values, least), oracle < 0 ? values.length : oracle);
  }
});

test("in a small group the count below any value is exact", () => {
  const scores = [0.125, 0.25, 0.25, 0.5, 2];
  const group = groupOf(scores);
  for (const value of [-1, 0, 0.125, 0.2, 0.25, 0.3, 0.5, 1.9, 2, 2.1]) {
    assert.equal(countBelow(group, value), counted(scores, value), `below ${value}`);
  }
});

test("in a large group the count lies between its exact neighbours", () => {
  const group = makeGroup({ ...packed([0, 10, 20], [0, 100, 300]), n: 300, exact: false, low: 0, high: 20 });
  assert.equal(countBelow(group, 10), 100);
  assert.equal(countBelow(group, 15), 200);
  assert.equal(countBelow(group, 5), 50);
});

test("the line for n units has n units below it", () => {
  const scores = [0.125, 0.25, 0.375, 0.5, 2];
  const group = groupOf(scores);
  for (let n = 0; n <= scores.length; n += 1) assert.equal(counted(scores, lineFor(group, n)), n);
});

test("among equal scores the line goes past all of them", () => {
  const scores = [0.25, 0.25, 0.25, 1];
  assert.equal(counted(scores, lineFor(groupOf(scores), 2)), 3);
});

for (const scale of /** @type {const} */ (["linear", "log"])) {
  test(`a place on the ${scale} axis and its value are inverses`, () => {
    const group = groupOf([0.01, 0.1, 0.5, 1]);
    for (const place of [0.05, 0.3, 0.5, 0.77, 0.99]) {
      const there = positionOf(group, valueAt(group, place, scale), scale);
      assert.ok(Math.abs(there - place) < 1e-9, `${place} became ${there}`);
    }
  });
}

test("the middle of a logarithmic axis is the geometric mean of its ends", () => {
  const group = groupOf([0.01, 1]);
  assert.ok(Math.abs(valueAt(group, 0.5, "log") - 0.1) < 1e-9);
});

test("the ends of the axis keep all units and remove all", () => {
  const scores = [0.125, 0.5, 2];
  const group = groupOf(scores);
  assert.equal(countBelow(group, valueAt(group, 0, "linear")), 0);
  assert.equal(countBelow(group, valueAt(group, 1, "linear")), scores.length);
});

test("exact zeros have a zone of their own: its left half keeps them, its right half removes only them", () => {
  const group = groupOf([0, 0, 0.5, 1]);
  assert.equal(countBelow(group, valueAt(group, 0.02, "linear")), 0);
  assert.equal(countBelow(group, valueAt(group, 0.04, "linear")), 2);
});

test("the bar of exact zeros is as wide as its zone, as high as its share of the tallest", () => {
  const group = { ...groupOf([0, 0, 0.5, 1]), linear: new Uint8Array([255]), zero_bar: 51 };
  assert.deepEqual(zeroBar(group, 400, 40), { width: 17, height: 8 });
  assert.deepEqual(zeroBar(groupOf([0.5, 1]), 400, 40), { width: 0, height: 0 });
  assert.equal(barsPath(group, "linear", 400, 40), "M0 40V32.0H17V40ZM20 40V0.0H399V40Z");
});

test("a group with a reason cannot be moved, nor one without scores", () => {
  const scored = packed([0, 1], [0, 1]);
  assert.equal(makeGroup(scored).movable, true);
  assert.equal(makeGroup({ ...scored, why_not: "Too small." }).movable, false);
  assert.equal(makeGroup({ name: "a", unit: "weight", n: 5, weights: 5, block: "b", kind: "Linear" }).movable, false);
});

test("each bar that is not empty is drawn, from the bottom", () => {
  const group = { ...groupOf([1, 2]), linear: new Uint8Array([255, 0, 1]) };
  const bars = barsPath(group, "linear", 90, 38).match(/M/g) ?? [];
  assert.equal(bars.length, 2);
  assert.match(barsPath(group, "linear", 90, 38), /^M0 38V0\.0H29V38Z/);
});

test("a cost lies between the levels around a share", () => {
  assert.equal(costAt([0, 127, 254], 0.25), 0.25);
  assert.equal(costAt([0, 127, 254], 1), 1);
});

test("a cost beside an unknown level is unknown", () => {
  assert.equal(costAt([0, 255, 254], 0.25), null);
  assert.equal(costAt([], 0.5), null);
});
