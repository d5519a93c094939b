// @ts-check
// Numbers as the rows say them. No document here.

/** @param {number} n */
function shortCount(n) {
  if (n < 1000) return String(n);
  if (n < 999_950) return `${(n / 1000).toFixed(1)}k`;
  return `${(n / 1e6).toFixed(1)}M`;
}

/** @param {number} n @param {string} unit */
export function plural(n, unit) {
  return `${shortCount(n)} ${unit}${n === 1 ? "" : "s"}`;
}

/** @param {number} share @param {number} [digits] */
export function percent(share, digits = 1) {
  const text = (100 * share).toFixed(digits);
  if (share < 1 && Number(text) === 100) return `>${(100 - 10 ** -digits).toFixed(digits)}%`;
  if (share > 0 && Number(text) === 0) return `<${(10 ** -digits).toFixed(digits)}%`;
  return `${text}%`;
}

/** @param {number} value */
export function shortNumber(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e5) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/**
 * A loss in points as the change it makes: 0.4 is "−0.4 pt".
 * @param {number} points
 */
export function pointsLost(points) {
  const text = points.toFixed(1);
  return text === "0.0" ? "0.0 pt" : `−${text} pt`;
}

/**
 * From cheap (blue) to dear (orange): two hues that colour-blind people tell apart.
 * @param {number} cost 0 to 1
 */
export function costColour(cost) {
  const stops = [
    [47, 111, 214],
    [168, 182, 204],
    [242, 153, 60],
    [201, 74, 0],
  ];
  const place = Math.min(0.9999, Math.max(0, cost)) * (stops.length - 1);
  const i = Math.floor(place);
  const mixed = stops[i].map((from, c) => Math.round(from + (place - i) * (stops[i + 1][c] - from)));
  return `rgb(${mixed.join(" ")})`;
}
