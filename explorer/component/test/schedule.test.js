// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { corner, Frame, stepsPath } from "../src/schedule/frame.js";

/** @import { ScheduleData } from "../src/types.js" */

/** @type {ScheduleData} */
const DATA = { points: [[1, 0.3], [2, 0.9]], epochs: 4, end: 0.5, final: 0.9, moves_end: true, words: "" };

test("a place in the drawing and its share are inverses", () => {
  for (const room of [0, 390, 900]) {
    const frame = new Frame(room);
    const { share, level } = frame.at(frame.x(0.3), frame.y(0.7));
    assert.ok(Math.abs(share - 0.3) < 1e-12 && Math.abs(level - 0.7) < 1e-12);
  }
});

test("on a phone the drawing is narrower", () => {
  assert.ok(new Frame(390).width < new Frame(900).width);
});

test("a hand means whole epochs and whole percents within bounds", () => {
  assert.deepEqual(corner(DATA, 0.6, 0.504), { end: 0.5, final: 0.5 });
  assert.deepEqual(corner(DATA, -1, -1), { end: 0.25, final: 0.05 });
  assert.deepEqual(corner(DATA, 2, 2), { end: 1, final: 0.99 });
});

test("an end that is fixed does not follow the hand", () => {
  assert.equal(corner({ ...DATA, moves_end: false }, 0.9, 0.5).end, undefined);
});

test("the steps are stretched to where the handle is", () => {
  const frame = new Frame(900);
  const path = stepsPath(frame, DATA, 1, 0.45);
  assert.equal(path, `M${frame.x(0.5)} ${frame.y(0.15)}H${frame.x(1)}V${frame.y(0.45)}H${frame.x(1)}`);
});
