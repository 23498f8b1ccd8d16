"use strict";
// The list: as long as the trace, of which only the lines in sight exist.

const ROW_PX = 26;
const SPARE_ROWS = 8;
const SYMBOLS = { done: "✓", refused: "✗", probe: "○", event: "•" };
// No element may be higher than this in any browser; a longer list is scrolled by proportion.
const MAX_PX = 15_000_000;

/**
 * An element with a class and text; nothing of a trace is ever markup.
 * @param {string} kind @param {string} [name] @param {string} [text] @returns {HTMLElement}
 */
function element(kind, name = "", text = "") {
  const made = document.createElement(kind);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

class List {
  /**
   * @param {HTMLElement} box @param {HTMLElement} rows @param {Trace} trace
   * @param {(item: number | null) => void} chosen @param {(run: number) => void} toggled
   */
  constructor(box, rows, trace, chosen, toggled) {
    this.box = box;
    this.rows = rows;
    this.trace = trace;
    this.chosen = chosen;
    this.toggled = toggled;
    /** The line of the view that is selected; -1: none. */
    this.at = -1;
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(box);
    rows.addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("[data-at]");
      if (!(row instanceof HTMLElement)) return;
      this.select(Number(row.dataset.at));
      const item = this.trace.view[this.at];
      if (item < 0) this.toggled(-1 - item);
    });
  }

  get px() {
    return Math.min(this.trace.view.length * ROW_PX, MAX_PX);
  }

  /** How far the content is moved in excess of what is scrolled, where it is too long for one element. */
  get scale() {
    const room = this.px - this.box.clientHeight;
    return room > 0 ? (this.trace.view.length * ROW_PX - this.box.clientHeight) / room : 1;
  }

  /**
   * The view has changed; `entry` stays selected if it is in it.
   * @param {number | null} item
   */
  renew(item) {
    this.rows.style.height = `${this.px}px`;
    const at = item === null ? -1 : this.trace.view.indexOf(item);
    this.select(at >= 0 ? at : Math.min(0, this.trace.view.length - 1));
  }

  /** @param {number} at a line of the view */
  select(at) {
    this.at = Math.max(-1, Math.min(at, this.trace.view.length - 1));
    if (this.at >= 0) {
      const top = this.at * ROW_PX;
      const seen = this.box.scrollTop * this.scale;
      const room = this.box.clientHeight - ROW_PX;
      if (top < seen) this.box.scrollTop = top / this.scale;
      else if (top > seen + room) this.box.scrollTop = (top - room) / this.scale;
    }
    this.draw();
    this.chosen(this.at < 0 ? null : this.trace.view[this.at]);
  }

  /** @param {number} by @param {(item: number) => boolean} [wanted] the nearest such line in that direction */
  step(by, wanted = () => true) {
    let at = this.at + by;
    while (at >= 0 && at < this.trace.view.length && !wanted(this.trace.view[at])) at += Math.sign(by);
    if (at >= 0 && at < this.trace.view.length) this.select(at);
    else if (Math.abs(by) > 1) this.select(by > 0 ? this.trace.view.length - 1 : 0);
  }

  get page() {
    return Math.max(1, Math.floor(this.box.clientHeight / ROW_PX) - 1);
  }

  draw() {
    const seen = this.box.scrollTop * this.scale;
    const first = Math.max(0, Math.floor(seen / ROW_PX) - SPARE_ROWS);
    const last = Math.min(this.trace.view.length, Math.ceil((seen + this.box.clientHeight) / ROW_PX) + SPARE_ROWS);
    const made = [];
    for (let at = first; at < last; at++) {
      const row = this.trace.view[at] < 0 ? this.run(-1 - this.trace.view[at]) : this.entry(this.trace.view[at]);
      row.dataset.at = String(at);
      row.id = `row-${at}`;
      row.style.top = `${at * ROW_PX - seen + this.box.scrollTop}px`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-posinset", String(at + 1));
      row.setAttribute("aria-setsize", String(this.trace.view.length));
      row.setAttribute("aria-selected", String(at === this.at));
      made.push(row);
    }
    this.rows.replaceChildren(...made);
    const isSeen = this.at >= first && this.at < last;
    if (isSeen) this.box.setAttribute("aria-activedescendant", `row-${this.at}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  /** @param {number} entry */
  time(entry) {
    return this.trace.isTimed ? (this.trace.number("seconds", entry) / 1e6).toFixed(3) : String(entry + 1);
  }

  /** @param {number} run */
  run(run) {
    const [entry, , sentence] = this.trace.data.runs[run];
    const isOpen = this.trace.open.has(run);
    const row = element("div", "row probe run");
    row.append(
      element("span", "time", this.time(entry)),
      element("span", "mark", isOpen ? "▾" : "▸"),
      element("span", "words", sentence),
    );
    return row;
  }

  /** @param {number} entry */
  entry(entry) {
    const { trace } = this;
    const outcome = trace.outcome(entry);
    const row = element("div", `row ${outcome}`);
    row.append(
      element("span", "time", this.time(entry)),
      element("span", "mark", SYMBOLS[/** @type {keyof typeof SYMBOLS} */ (outcome)]),
    );
    if (outcome === "event") {
      row.append(element("span", "words", trace.word("command", entry)));
      return row;
    }
    const channel = trace.number("channel", entry);
    const command = element("span", "command");
    command.append(
      element("b", "", `${channel ? `channel ${channel}: ` : ""}${trace.word("command", entry)}`),
      ` ${trace.word("details", entry)}`,
    );
    const answer = [trace.word("status", entry), trace.word("answer", entry)].filter(Boolean).join(", ");
    row.append(element("span", "application", trace.word("application", entry)), command);
    row.append(element("span", "answer", answer));
    if (trace.number("changes", entry)) row.append(element("span", "changed", "Δ"));
    return row;
  }
}
