// @ts-check
// The graph as a file of its own: what the style sheet gives its parts is written into them.

const TAKEN = ["fill", "stroke", "stroke-width", "stroke-opacity", "opacity", "font-family", "font-size", "text-anchor"];

/** @param {SVGElement} svg as it stands on the page */
export function standalone(svg) {
  const copy = /** @type {SVGElement} */ (svg.cloneNode(true));
  const from = [...svg.querySelectorAll("*")];
  [...copy.querySelectorAll("*")].forEach((element, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of ["class", "tabindex", "role", "aria-pressed", "data-node"]) element.removeAttribute(name);
    if (!["rect", "text", "path"].includes(element.tagName)) return;
    for (const name of TAKEN) element.setAttribute(name, style.getPropertyValue(name));
  });
  return new XMLSerializer().serializeToString(copy);
}

/** @param {string} text @param {string} name */
export function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
