// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { filled, stroked } from "../src/drawing/curve.js";

const PLACES = [0, 10, 20, 30];

test("a stroke sets the levels that it passes, in proportion, and leaves the others", () => {
  const heights = stroked([null, null, null, 7], PLACES, { from: { x: 0, y: 0 }, to: { x: 20, y: 40 }, reach: 1 });
  assert.deepEqual(heights, [0, 20, 40, 7]);
});

test("a stroke to the left is the same as one to the right", () => {
  const heights = stroked([null, null, null, null], PLACES, { from: { x: 20, y: 40 }, to: { x: 0, y: 0 }, reach: 1 });
  assert.deepEqual(heights, [0, 20, 40, null]);
});

test("a touch sets the level that it is near to", () => {
  assert.deepEqual(stroked([1, 1, 1, 1], PLACES, { from: { x: 12, y: 5 }, to: { x: 12, y: 5 }, reach: 5 }), [1, 5, 1, 1]);
});

test("what was not drawn gets the height of the nearest level that was", () => {
  assert.deepEqual(filled([null, 5, null, 9]), [5, 5, 5, 9]);
  assert.equal(filled([null, null]), null);
});
