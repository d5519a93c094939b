// One knob's numbers: how many units lie below a line, and where a line stands on the axis.
// No document here: everything can be computed without a screen.

const ZERO_ZONE = 0.05; // share of the axis kept for the bar of exact zeros

function decoded(text, Type) {
  const raw = atob(text ?? "");
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new Type(bytes.buffer);
}

function makeKnob(told) {
  return {
    ...told,
    edges: decoded(told.edges, Float32Array),
    counts: decoded(told.counts, Uint32Array),
    linear: decoded(told.linear, Uint8Array),
    log: told.log ? decoded(told.log, Uint8Array) : null,
    movable: !told.why_not && told.edges !== undefined && told.n > 0,
    zone: told.zeros > 0 ? ZERO_ZONE : 0,
  };
}

/** The first index whose value is at least `wanted`; the length if there is none. */
function firstAtLeast(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many units score below `value`: exact in small knobs, between exact points in large ones. */
function countBelow(knob, value) {
  const { edges, counts } = knob;
  const i = firstAtLeast(edges, value);
  if (i === 0) return 0;
  if (i === edges.length) return knob.n;
  if (knob.exact) return counts[i];
  const part = (value - edges[i - 1]) / (edges[i] - edges[i - 1]);
  return Math.round(counts[i - 1] + part * (counts[i] - counts[i - 1]));
}

/** The lowest line that has `n` units below it. */
function lineFor(knob, n) {
  const { edges, counts } = knob;
  if (n <= 0) return knob.start;
  if (n >= knob.n) return edges[edges.length - 1];
  const i = firstAtLeast(counts, n);
  if (knob.exact || i === 0 || counts[i] === n) return edges[i];
  const part = (n - counts[i - 1]) / (counts[i] - counts[i - 1]);
  return edges[i - 1] + part * (edges[i] - edges[i - 1]);
}

/** Where `value` stands on the axis, from 0 to 1. */
function positionOf(knob, value, scale) {
  if (value <= knob.start) return 0;
  if (value > knob.high) return 1;
  let part;
  if (scale === "log" && knob.log) part = Math.log(value / knob.floor) / Math.log(knob.high / knob.floor);
  else part = (value - knob.start) / (knob.high - knob.start);
  return knob.zone + (1 - knob.zone) * Math.min(1, Math.max(0, part));
}

/** The value at a place on the axis: the inverse of `positionOf`. */
function valueAt(knob, position, scale) {
  const top = knob.edges[knob.edges.length - 1];
  if (position <= 0) return knob.start;
  if (position >= 1) return top;
  if (position < knob.zone) return position < knob.zone / 2 ? knob.start : Math.min(2e-38, top);
  const part = (position - knob.zone) / (1 - knob.zone);
  if (scale === "log" && knob.log) return knob.floor * (knob.high / knob.floor) ** part;
  const value = knob.start + part * (knob.high - knob.start);
  return knob.zeros > 0 ? Math.max(value, 2e-38) : value;
}

/** Two outlines in pixels, one path each: the bars, and the bar of zeros among them. */
function barsPath(knob, scale, width, height) {
  const heights = scale === "log" && knob.log ? knob.log : knob.linear;
  const left = knob.zone * width;
  const step = (width - left) / heights.length;
  const gap = step >= 3 ? 1 : 0;
  const bar = (from, to, level) => {
    if (!level) return "";
    const top = height - Math.max(1.5, (level / 255) * height);
    return `M${from} ${height}V${top.toFixed(1)}H${to}V${height}Z`;
  };
  let path = knob.zone ? bar(0, Math.max(2, Math.round(left) - 3), knob.zero_bar) : "";
  heights.forEach((level, i) => {
    const from = Math.round(left + i * step);
    path += bar(from, Math.max(from + 1, Math.round(left + (i + 1) * step) - gap), level);
  });
  return path;
}

/** A strip's cost at a share, from 0 to 1, or null where it is unknown. */
function costAt(levels, share) {
  const place = share * (levels.length - 1);
  const before = levels[Math.floor(place)];
  const after = levels[Math.ceil(place)];
  if (before === 255 || after === 255 || before === undefined || after === undefined) return null;
  return (before + (place - Math.floor(place)) * (after - before)) / 254;
}

/** A loss in points as the change it makes: 0.4 is "−0.4 pt". */
function pointsLost(points) {
  const text = points.toFixed(1);
  return text === "0.0" ? "0.0 pt" : `−${text} pt`;
}
