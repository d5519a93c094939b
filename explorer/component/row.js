// One knob on the screen. A row knows its numbers and draws itself; it decides nothing.

class Row {
  constructor(knob, index, symbol) {
    this.knob = knob;
    this.index = index;
    this.symbol = symbol;
    this.n = 0; // units that go
    this.line = knob.start ?? 0;
    this.exact = true; // counted by the server, not read from the curve
    this.locked = false;
    this.floor = 0;
    this.cap = 1;
    this.cost = "";
    this.levels = null;
    this.whole = 0; // points of accuracy that a cost of 1 stands for
    this.placed = false; // the line stands where a hand has put it
    this.visible = false;
    this.drawn = ""; // what the bars were drawn for
    this.build();
  }

  get share() {
    return this.knob.n ? this.n / this.knob.n : 0;
  }

  get moves() {
    return this.knob.movable && !this.locked;
  }

  /** Stand at a value; limits hold. */
  moveTo(value) {
    this.line = value;
    this.placed = true;
    this.take(countBelow(this.knob, value), true);
  }

  /** Lose a share; limits hold. */
  loseShare(share) {
    this.take(Math.round(share * this.knob.n), false);
  }

  standsFor(n) {
    return this.placed && this.knob.exact && countBelow(this.knob, this.line) === n;
  }

  take(n, byLine) {
    const least = Math.ceil(this.floor * this.knob.n);
    const most = Math.floor(this.cap * this.knob.n);
    this.n = Math.min(most, Math.max(least, n));
    if (!byLine || this.n !== n) this.line = lineFor(this.knob, this.n);
    this.exact = false;
  }

  build() {
    const { knob } = this;
    this.element = make("div", "ph-row");
    this.element.dataset.knob = knob.name;
    const name = make("div", "ph-name");
    this.label = make("code", "ph-label", knob.name);
    this.label.title = [...new Set([knob.name, ...(knob.layers ?? [])])].join("\n");
    name.append(this.label, make("span", "ph-size", plural(knob.n, knob.unit)));
    this.element.append(name);
    if (!knob.movable) {
      this.element.classList.add("ph-off");
      this.element.append(make("div", "ph-why", knob.why_not ?? "There is nothing to remove."));
      return;
    }
    this.buildPlot();
    this.buildReadout();
  }

  buildPlot() {
    this.plot = make("div", "ph-plot");
    this.area = make("div", "ph-area");
    const bars = ["ph-gone", "ph-kept"].map((className) => {
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("class", className);
      svg.setAttribute("aria-hidden", "true");
      const path = document.createElementNS(SVG, "path");
      svg.append(path);
      this.area.append(svg);
      return path;
    });
    this.bars = bars;
    this.rule = make("div", "ph-rule");
    this.thumb = make("div", "ph-thumb");
    this.thumb.setAttribute("role", "slider");
    this.thumb.setAttribute("aria-orientation", "horizontal");
    this.thumb.setAttribute("aria-valuemin", "0");
    this.thumb.setAttribute("aria-valuemax", "100");
    this.thumb.setAttribute("aria-label", this.knob.name);
    this.thumb.tabIndex = -1;
    this.rule.append(this.thumb);
    this.area.append(this.rule);
    this.strip = make("div", "ph-strip");
    this.strip.setAttribute("aria-hidden", "true");
    this.plot.append(this.area, this.strip);
    this.element.append(this.plot);
  }

  buildReadout() {
    const read = make("div", "ph-read");
    this.shareText = make("span", "ph-share");
    this.lineText = make("span", "ph-line");
    read.append(this.shareText, this.lineText);
    this.costText = make("div", "ph-cost");
    const tools = make("div", "ph-tools");
    this.more = iconButton("more", `Limits of ${this.knob.name}`, "ph-tool ph-more");
    this.more.setAttribute("aria-haspopup", "dialog");
    this.lock = iconButton("open", "", "ph-tool ph-lock");
    tools.append(this.more, this.lock);
    this.more.tabIndex = -1;
    this.lock.tabIndex = -1;
    this.element.append(read, this.costText, tools);
  }

  /** One stop for the Tab key in the whole list: the row last used. */
  rove(on) {
    for (const part of [this.thumb, this.more, this.lock]) if (part) part.tabIndex = on ? 0 : -1;
  }

  /** Bars and strip: only when the size, the axis or the costs have changed. */
  draw(scale, width, height) {
    if (!this.knob.movable || !width) return;
    const wanted = `${scale}|${width}|${this.levels ? this.levels.join() : ""}`;
    if (this.drawn === wanted) return;
    this.drawn = wanted;
    const path = barsPath(this.knob, scale, width, height);
    for (const bars of this.bars) bars.setAttribute("d", path);
    this.drawStrip(scale);
  }

  drawStrip(scale) {
    this.strip.classList.toggle("ph-on", Boolean(this.levels));
    if (!this.levels) return;
    const stops = [];
    const cells = 56;
    for (let i = 0; i <= cells; i += 1) {
      const share = countBelow(this.knob, valueAt(this.knob, i / cells, scale)) / this.knob.n;
      const cost = costAt(this.levels, share);
      stops.push(`${cost === null ? "transparent" : costColour(cost)} ${((100 * i) / cells).toFixed(1)}%`);
    }
    this.strip.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  }

  /** Line, share and what a screen reader says. Cheap: runs for every move of the pointer. */
  refresh(scale) {
    if (!this.knob.movable) return;
    const { knob } = this;
    let at = positionOf(knob, this.line, scale);
    if (this.n <= 0) at = 0;
    else if (this.n >= knob.n) at = 1;
    this.area.style.setProperty("--at", `${(100 * at).toFixed(2)}%`);
    const certain = this.exact || knob.exact || this.n <= 0 || this.n >= knob.n;
    const about = certain ? "" : "≈ ";
    this.shareText.textContent = about + percent(this.share);
    this.lineText.textContent = this.lineWords();
    this.costText.textContent = this.exact ? this.cost : this.expectedCost();
    this.thumb.setAttribute("aria-valuenow", (100 * this.share).toFixed(1));
    this.thumb.setAttribute("aria-valuetext", this.spoken());
  }

  /** While a hand moves the line: what the scan's strip says of this share, until the server answers. */
  expectedCost() {
    const cost = this.levels && this.n > 0 ? costAt(this.levels, this.share) : null;
    return cost === null ? "" : `≈ ${pointsLost(cost * this.whole)}`;
  }

  lineWords() {
    // A group of n:m keeps some of its weights: it takes on the pattern, it does not go.
    const patterned = this.knob.unit === "group";
    if (this.n <= 0) return patterned ? "none patterned" : "all kept";
    if (this.n >= this.knob.n) return patterned ? "all patterned" : "all removed";
    return `${this.symbol} < ${shortNumber(this.line)}`;
  }

  spoken() {
    const share = `${(100 * this.share).toFixed(1)} percent of ${this.knob.unit}s pruned`;
    const locked = this.locked ? `, locked: ${this.lockReason}` : "";
    return `threshold ${shortNumber(this.line)}, ${share}${locked}`;
  }

  get lockReason() {
    return this.knob.locked_by ?? "by you";
  }

  /** What changes with a lock, a limit or a cost, and not with a move. */
  refreshState() {
    if (!this.knob.movable) return;
    this.element.classList.toggle("ph-held", this.locked);
    this.thumb.setAttribute("aria-disabled", String(this.locked));
    const words = this.locked ? `Locked: ${this.lockReason}. Press to unlock.` : `Lock ${this.knob.name} where it is`;
    this.lock.title = words;
    this.lock.setAttribute("aria-label", this.locked ? `${this.knob.name}. ${words}` : words);
    this.lock.setAttribute("aria-pressed", String(this.locked));
    this.lock.querySelector("path").setAttribute("d", ICONS[this.locked ? "locked" : "open"]);
    this.plot.title = this.locked ? `Locked: ${this.lockReason}` : "";
    const limited = this.floor > 0 || this.cap < 1;
    this.more.classList.toggle("ph-set", limited);
    const bounds = ` (at least ${percent(this.floor, 0)}, at most ${percent(this.cap, 0)})`;
    this.more.title = `Limits of ${this.knob.name}${limited ? bounds : ""}`;
    this.costText.title = "Estimated between the levels of the scan: this layer alone";
  }
}
