// @ts-check
// Size against accuracy as a small SVG: measured curves, what was tried, and where one stands now.

import { makeSvg } from "../elements.js";

/** @import { Chart, ChartPoint, Series } from "../types.js" */

const WIDE = 460;
const HIGH = 250;
const EDGE = { left: 44, right: 14, top: 14, bottom: 38 };
const TICKS = [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128];

/** @typedef {{ x: (ratio: number) => number, y: (share: number) => number, most: number, least: number }} Scales */

/** @param {Chart} chart @returns {Scales} */
function scalesOf(chart) {
  const points = chart.series.flatMap((series) => series.points);
  const most = Math.max(4, ...points.map((point) => point.ratio)) * 1.08;
  const least = Math.min(1, ...points.map((point) => point.low ?? point.share)) < 0.5 ? 0 : 0.5;
  const wide = WIDE - EDGE.left - EDGE.right;
  const high = HIGH - EDGE.top - EDGE.bottom;
  return {
    most,
    least,
    x: (ratio) => EDGE.left + (wide * Math.log(Math.max(1, ratio))) / Math.log(most),
    y: (share) => EDGE.top + (high * (1 - share)) / (1 - least),
  };
}

/** @param {SVGElement} svg @param {Scales} scales @param {string} title */
function frame(svg, scales, title) {
  for (let share = scales.least; share <= 1.001; share += (1 - scales.least) / 5) {
    const y = scales.y(share);
    svg.append(makeSvg("line", { class: "pe-grid", x1: EDGE.left, x2: WIDE - EDGE.right, y1: y, y2: y }));
    svg.append(makeSvg("text", { class: "pe-tick", x: EDGE.left - 6, y: y + 4, "text-anchor": "end" }, `${Math.round(100 * share)}%`));
  }
  for (const ratio of spaced(TICKS.filter((tick) => tick <= scales.most), scales)) {
    svg.append(makeSvg("text", { class: "pe-tick", x: scales.x(ratio), y: HIGH - 20, "text-anchor": "middle" }, `${ratio}×`));
  }
  svg.append(makeSvg("text", { class: "pe-tick", x: WIDE - EDGE.right, y: HIGH - 3, "text-anchor": "end" }, title));
}

/** Ticks whose texts do not touch. @param {number[]} ticks @param {Scales} scales */
function spaced(ticks, scales) {
  let last = -Infinity;
  return ticks.filter((tick) => {
    const free = scales.x(tick) - last > 30;
    if (free) last = scales.x(tick);
    return free;
  });
}

/** @param {SVGElement} svg @param {Series} series @param {Scales} scales */
function draw(svg, series, scales) {
  const places = series.points.map((point) => `${scales.x(point.ratio)},${scales.y(point.share)}`);
  if (series.kind === "curve" || series.kind === "control") {
    svg.append(makeSvg("polyline", { class: `pe-line pe-${series.kind}`, points: places.join(" ") }));
  }
  for (const point of series.points) svg.append(...mark(series, point, scales));
}

/** @param {Series} series @param {ChartPoint} point @param {Scales} scales */
function mark(series, point, scales) {
  const x = scales.x(point.ratio);
  const radius = series.kind === "now" ? 7 : 3;
  const dot = makeSvg("circle", { class: `pe-dot pe-${series.kind}`, cx: x, cy: scales.y(point.share), r: radius });
  dot.append(makeSvg("title", {}, `${series.label}: ${point.text}`));
  if (point.low === null || point.high === null) return [dot];
  const whisker = { class: `pe-whisker pe-${series.kind}`, x1: x, x2: x, y1: scales.y(point.low), y2: scales.y(point.high) };
  return [makeSvg("line", whisker), dot];
}

/** @param {Chart} chart */
export function drawChart(chart) {
  const svg = makeSvg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "pe-svg", role: "img", "aria-label": chart.alternative });
  const scales = scalesOf(chart);
  frame(svg, scales, chart.title);
  for (const series of chart.series) draw(svg, series, scales);
  return svg;
}
