// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { csvOf, plain } from "../src/chart_tools/table.js";

test("a table has a row for every mark, with numbers in full and what a mark says", () => {
  const table = csvOf([
    { name: "a, b", x: new Float64Array([1, 0.1 + 0.2]), y: [3, null], hovertext: ["<b>one</b><br>two", ""] },
    { x: [5], y: ["layer"], error_x: { array: [0.5], arrayminus: [0.25] } },
  ]);
  assert.equal(
    table,
    'series,x,y,x_minus,x_plus,words\n"a, b",1,3,,,"one, two"\n"a, b",0.30000000000000004,,,,\n,5,layer,0.25,0.5,\n',
  );
});

test("of a heat map every cell that holds a number is a row, and what only fills is none", () => {
  const heat = { type: "heatmap", z: [new Float32Array([1, NaN]), [null, 4]], customdata: [["p", "q"], ["r", "s"]] };
  const table = csvOf([heat, { x: [1, 2], y: [1, 2], hoverinfo: "skip" }]);
  assert.equal(table, "x,y,value,words\n0,0,1,p\n1,1,4,s\n");
});

test("text from files is one line and never a formula", () => {
  assert.equal(csvOf([{ name: "=SUM(A1)", x: ["-1", "@x\ny"], y: [1, 2] }]), "series,x,y\n'=SUM(A1),-1,1\n'=SUM(A1),'@x y,2\n");
  assert.equal(plain("&lt;0.1% <b>&amp;</b>"), "<0.1% &");
});
