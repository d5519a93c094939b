// @ts-check
// A chart of Plotly as a file of its own: what lies in several layers on the page becomes one picture.

import { make, makeSvg, SVG } from "../elements.js";

const PASSING = ".hoverlayer, .zoomlayer, .selectionlayer, .draglayer, .dragcover";
const SHARP = 2; // pixels of a picture for each pixel of the page

/** @param {Element} chart @returns {{ text: string, width: number, height: number }} */
export function svgOf(chart) {
  const papers = [...chart.querySelectorAll("svg.main-svg")];
  const { width, height } = papers[0].getBoundingClientRect();
  const svg = makeSvg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  svg.setAttribute("xmlns", SVG);
  svg.append(makeSvg("rect", { width, height, fill: groundOf(chart) }));
  for (const paper of papers) {
    const layer = makeSvg("g");
    layer.append(...[...paper.childNodes].map((node) => node.cloneNode(true)));
    holdWidths(paper, layer);
    for (const passing of layer.querySelectorAll(PASSING)) passing.remove();
    svg.append(layer);
  }
  for (const element of svg.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      if (value.includes("url(")) element.setAttribute(name, value.replaceAll(/url\(["']?[^"')]*#([^"')]*)["']?\)/g, "url(#$1)"));
    }
  }
  return { text: new XMLSerializer().serializeToString(svg), width, height };
}

/** Each line of text stays as long as it is here: a program that lacks the page's font takes a wider one. */
/** @param {Element} from @param {Element} to */
function holdWidths(from, to) {
  const copies = to.querySelectorAll("text, tspan");
  for (const [i, text] of [...from.querySelectorAll("text, tspan")].entries()) {
    const length = /** @type {SVGTextContentElement} */ (text).getComputedTextLength();
    if (text.querySelector("tspan") || !length) continue;
    copies[i].setAttribute("textLength", String(length));
    copies[i].setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
}

/** The same, painted. @param {Element} chart @returns {Promise<Blob>} */
export async function pngOf(chart) {
  const { text, width, height } = svgOf(chart);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas");
  canvas.width = Math.round(width * SHARP);
  canvas.height = Math.round(height * SHARP);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, refuse) => canvas.toBlob((blob) => (blob ? done(blob) : refuse(new Error("no picture")))));
}

/** @param {Blob} content @param {string} name */
export function save(content, name) {
  const link = make("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** What lies behind the chart: its own ground is transparent. @param {Element} chart */
function groundOf(chart) {
  /** @type {Element | null} */
  let place = chart;
  while (place) {
    const colour = getComputedStyle(place).backgroundColor;
    if (colour !== "transparent" && !/^rgba\(.*, 0\)$/.test(colour)) return colour;
    place = place.parentElement;
  }
  return "white";
}
