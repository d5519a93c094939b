// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { Standing } from "../src/histogram/standing.js";
import { groupOf } from "./groups.js";

const SCORES = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];

test("a line that is moved takes the units below it", () => {
  const row = new Standing(groupOf(SCORES));
  row.moveTo(0.4);
  assert.deepEqual([row.n, row.line, row.share], [3, 0.4, 3 / 8]);
});

test("a cap stops a line where its share ends", () => {
  const row = Object.assign(new Standing(groupOf(SCORES)), { cap: 0.25 });
  row.moveTo(0.9);
  assert.equal(row.n, 2);
  assert.equal(SCORES.filter((score) => score < row.line).length, 2);
});

test("a floor holds a line that is put back", () => {
  const row = Object.assign(new Standing(groupOf(SCORES)), { floor: 0.5 });
  row.loseShare(0);
  assert.equal(row.n, 4);
});

test("limits between two units round to the side that holds them", () => {
  const row = Object.assign(new Standing(groupOf(SCORES)), { floor: 0.3, cap: 0.6 });
  row.loseShare(0);
  assert.equal(row.n, 3);
  row.loseShare(1);
  assert.equal(row.n, 4);
});

test("a locked line does not move, nor one that cannot be pruned", () => {
  assert.equal(new Standing(groupOf(SCORES)).moves, true);
  assert.equal(Object.assign(new Standing(groupOf(SCORES)), { locked: true }).moves, false);
  assert.equal(new Standing(groupOf(SCORES, { why_not: "Too small." })).moves, false);
});

test("a line that a hand has put stands for its count anywhere between two units", () => {
  const row = new Standing(groupOf(SCORES));
  row.moveTo(0.26);
  assert.equal(row.standsFor(2), true);
  assert.equal(row.standsFor(3), false);
});
