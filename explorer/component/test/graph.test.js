// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { anchored, curve, fitting, matching, within, zoomed } from "../src/graph/zoom.js";

test("a step nearer and a step back is the same scale, and no scale leaves its limits", () => {
  assert.ok(Math.abs(zoomed(zoomed(1, 1), -1) - 1) < 1e-12);
  assert.equal(zoomed(1, 100), 3);
  assert.equal(zoomed(1, -100), 0.15);
  assert.equal(within(1), 1);
});

test("the whole graph fits into the window and is never drawn larger than it is", () => {
  assert.equal(fitting({ width: 400, height: 300 }, { width: 800, height: 300 }), 0.5);
  assert.equal(fitting({ width: 400, height: 300 }, { width: 100, height: 600 }), 0.5);
  assert.equal(fitting({ width: 400, height: 300 }, { width: 40, height: 30 }), 1);
});

test("what is under the pointer stays there", () => {
  // 100 px of the drawing lie left of the window and the pointer is 50 px in: place 150, at twice the size 300.
  assert.equal(anchored(100, 50, 2), 250);
});

test("a search finds boxes by all of its words, in their name or in their line", () => {
  const nodes = [
    { label: "layer1.conv", about: "16 × 3 × 3 × 3 · 432" },
    { label: "layer2.conv", about: "32 × 16 × 3 × 3 · 4,608" },
    { label: "+", about: "" },
  ];
  assert.deepEqual(matching(nodes, "CONV"), [0, 1]);
  assert.deepEqual(matching(nodes, "conv 4,608"), [1]);
  assert.deepEqual(matching(nodes, "  "), []);
  assert.deepEqual(matching(nodes, "fc"), []);
});

test("a line passes all of its points", () => {
  assert.equal(curve([0, 0, 10, 20]), "M0 0C0 10 10 10 10 20");
  assert.equal(curve([0, 0, 0, 10, 0, 20]).match(/C/g)?.length, 2);
});
