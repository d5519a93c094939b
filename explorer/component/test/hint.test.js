// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { hintWords } from "../src/histogram/hint.js";
import { groupOf } from "./groups.js";

test("what lies under the mouse is counted: here, and below", () => {
  const group = groupOf([0.125, 0.25, 0.375, 0.5, 1]);

  assert.equal(hintWords({ group, symbol: "|w|" }, 0.3, 0.1, "linear"), "|w| = 0.300 · 2 weights here · 40.0% below");
});
