// The rows in order: by block as in the model, or one flat list when sorted; and the tools above.

const MODES = [
  ["alone", "alone", "Each line moves alone"],
  ["together", "together, one value", "All unlocked lines stand at one value"],
  ["share", "same share", "All unlocked layers lose the same share"],
];
const SCALES = [
  ["linear", "linear", "Magnitudes on a linear axis"],
  ["log", "log", "Magnitudes on a logarithmic axis"],
];
const ORDERS = [
  ["model", "model order"],
  ["size", "largest first"],
  ["sparsity", "most pruned first"],
  ["sensitivity", "most sensitive first"],
];

/** Rows that can never be pruned do not count. */
function percentPruned(all) {
  const rows = all.filter((row) => row.knob.movable);
  const n = rows.reduce((sum, row) => sum + row.knob.n, 0);
  const pruned = rows.reduce((sum, row) => sum + row.n, 0);
  const exact = rows.every((row) => row.exact);
  return { n, pruned, exact, share: n ? pruned / n : 0 };
}

const LONGEST = 15; // characters of a layer's name that fit beside its histogram

/** Under its block's heading a long name may leave the block out; the whole name is its title. */
function label(rows) {
  const long = rows.some((row) => row.knob.name.length > LONGEST);
  for (const row of rows) {
    const prefix = `${row.knob.block}.`;
    const short = long && row.knob.name.startsWith(prefix);
    row.label.textContent = short ? row.knob.name.slice(prefix.length) : row.knob.name;
  }
}

class Block {
  constructor(name, rows) {
    this.name = name;
    this.rows = rows;
    this.open = true;
    this.element = make("section", "ph-block");
    this.body = make("div", "ph-rows");
    if (name) this.element.append(this.header());
    this.element.append(this.body);
  }

  header() {
    const head = make("button", "ph-head");
    head.type = "button";
    this.facts = make("span", "ph-facts");
    head.append(make("span", "ph-title", this.name), icon("chevron"), this.facts);
    head.addEventListener("click", () => this.toggle(head));
    head.setAttribute("aria-expanded", "true");
    return head;
  }

  toggle(head) {
    this.open = !this.open;
    head.setAttribute("aria-expanded", String(this.open));
    this.body.hidden = !this.open;
  }

  refresh() {
    if (!this.facts) return;
    const { n, share } = percentPruned(this.rows);
    const text = n ? `${plural(n, this.rows[0].knob.unit)} · ${percent(share, 0)} pruned` : "not pruned";
    if (this.facts.textContent !== text) this.facts.textContent = text;
  }
}

class List {
  constructor(rows) {
    this.rows = rows;
    this.query = "";
    this.order = "model";
    this.element = make("div", "ph-list");
    this.empty = make("p", "ph-empty");
    const names = [...new Set(rows.map((row) => row.knob.block))];
    this.blocks = names.map((name) => new Block(name, rows.filter((row) => row.knob.block === name)));
    this.arrange();
  }

  /** Rows in the order of the screen that may take the focus. */
  get reachable() {
    const shown = [...this.element.querySelectorAll(".ph-row")].filter((row) => !row.hidden && !row.parentElement.hidden);
    const byElement = new Map(this.rows.map((row) => [row.element, row]));
    return shown.map((element) => byElement.get(element)).filter((row) => row.knob.movable);
  }

  sorted() {
    const dearness = (row) => (row.levels ? row.levels.reduce((sum, cost) => sum + (cost === 255 ? 0 : cost), 0) / row.levels.length : -1);
    const keys = { size: (row) => row.knob.n, sparsity: (row) => row.share, sensitivity: dearness };
    const key = keys[this.order];
    return [...this.rows].sort((a, b) => key(b) - key(a) || a.index - b.index);
  }

  arrange() {
    const wanted = this.query.trim().toLowerCase();
    let found = 0;
    for (const row of this.rows) {
      const names = [row.knob.name, row.knob.block, row.knob.kind, ...(row.knob.layers ?? [])];
      row.element.hidden = wanted !== "" && !names.some((name) => name.toLowerCase().includes(wanted));
      found += row.element.hidden ? 0 : 1;
    }
    if (this.order === "model") this.arrangeBlocks();
    else this.element.replaceChildren(this.flat(), this.empty);
    this.empty.hidden = found > 0;
    this.empty.textContent = this.rows.length ? `No layer is called “${this.query.trim()}”.` : "This model has nothing to prune.";
  }

  arrangeBlocks() {
    for (const block of this.blocks) {
      label(block.rows);
      block.body.replaceChildren(...block.rows.map((row) => row.element));
      block.element.hidden = block.rows.every((row) => row.element.hidden);
    }
    this.element.replaceChildren(...this.blocks.map((block) => block.element), this.empty);
  }

  flat() {
    const body = make("div", "ph-rows");
    for (const row of this.rows) row.label.textContent = row.knob.name;
    body.append(...this.sorted().map((row) => row.element));
    return body;
  }

  refresh() {
    for (const block of this.blocks) block.refresh();
  }
}

/** The tools above the list. `on` holds what happens: mode, scale, step, arrange. */
class Toolbar {
  constructor(on) {
    this.element = make("div", "ph-tools-top");
    this.modes = segmented("Lines move", MODES, on.mode);
    this.scales = segmented("Axis", SCALES, on.scale);
    this.undo = iconButton("undo", "Undo", "ph-button");
    this.redo = iconButton("redo", "Redo", "ph-button");
    this.undo.addEventListener("click", () => on.step("undo"));
    this.redo.addEventListener("click", () => on.step("redo"));
    this.search = make("input", "ph-search");
    this.search.type = "search";
    this.search.placeholder = "Find a layer";
    this.search.setAttribute("aria-label", "Find a layer");
    this.search.addEventListener("input", on.arrange);
    this.order = make("select", "ph-order");
    this.order.setAttribute("aria-label", "Order of the layers");
    this.order.addEventListener("change", on.arrange);
    this.total = make("p", "ph-total");
    this.scope = ""; // said behind the total where it is not that of all rows
    this.lay();
    this.offerSensitivity(false);
  }

  lay() {
    const first = make("div", "ph-bar");
    const steps = make("span", "ph-steps");
    steps.append(this.undo, this.redo);
    const caption = make("span", "ph-caption", "lines move");
    caption.setAttribute("aria-hidden", "true");
    first.append(caption, this.modes.element, steps);
    const second = make("div", "ph-bar");
    second.append(this.search, this.order);
    const third = make("div", "ph-bar ph-facts-bar");
    third.append(this.total, this.scales.element);
    this.finder = second;
    this.element.append(first, second, third);
  }

  offerSensitivity(known) {
    const kept = this.order.value || "model";
    const offered = ORDERS.filter(([value]) => known || value !== "sensitivity");
    this.order.replaceChildren(...offered.map(([value, text]) => Object.assign(make("option", "", text), { value })));
    this.order.value = offered.some(([value]) => value === kept) ? kept : "model";
  }

  refresh(rows) {
    const { n, pruned, exact, share } = percentPruned(rows);
    const about = exact ? "" : "≈ ";
    const unit = rows[0]?.knob.unit ?? "weight";
    const strong = make("strong", "", `${about}${percent(share)} pruned`);
    this.total.replaceChildren(strong, ` ${about}${pruned.toLocaleString("en")} of ${n.toLocaleString("en")} ${unit}s ${this.scope}`.trimEnd());
  }
}

/** At least and at most, for one row. It floats above everything, so that no row clips it. */
class LimitMenu {
  constructor(onChange) {
    this.onChange = onChange;
    this.element = make("div", "ph-menu");
    this.element.setAttribute("popover", "auto");
    this.element.setAttribute("role", "dialog");
    this.title = make("p", "ph-menu-title");
    this.low = this.field("At least");
    this.high = this.field("At most");
    this.element.prepend(this.title);
  }

  field(text) {
    const label = make("label", "ph-field", text);
    const input = make("input", "");
    Object.assign(input, { type: "number", min: "0", max: "100", step: "1" });
    input.addEventListener("change", () => this.change(input));
    label.append(input, make("span", "", "%"));
    this.element.append(label);
    return input;
  }

  show(row) {
    this.row = row;
    this.title.textContent = `Remove from ${row.knob.name}`;
    this.element.setAttribute("aria-label", this.title.textContent);
    this.low.value = String(Math.round(1000 * row.floor) / 10);
    this.high.value = String(Math.round(1000 * row.cap) / 10);
    this.element.showPopover();
    const box = row.more.getBoundingClientRect();
    const size = this.element.getBoundingClientRect();
    const left = Math.max(8, Math.min(box.right - size.width, innerWidth - size.width - 8));
    const below = box.bottom + 4 + size.height < innerHeight;
    this.element.style.left = `${left}px`;
    this.element.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - size.height - 4)}px`;
    this.low.focus();
  }

  change(input) {
    const read = (field, fallback) => Math.min(1, Math.max(0, (Number.isFinite(field.valueAsNumber) ? field.valueAsNumber : fallback) / 100));
    let floor = read(this.low, 0);
    let cap = read(this.high, 100);
    if (floor > cap && input === this.low) cap = floor;
    if (floor > cap) floor = cap;
    this.low.value = String(Math.round(1000 * floor) / 10);
    this.high.value = String(Math.round(1000 * cap) / 10);
    this.onChange(this.row, floor, cap);
  }
}
