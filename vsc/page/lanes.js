"use strict";
// The time line: a lane for each reader, each command where it stands in time, coloured by its outcome.

const LANE_PX = 22;
const TICK_PX = 14;

/**
 * A colour of the style, light or dark.
 * @param {string} name
 */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

class Lanes {
  /** @param {HTMLCanvasElement} canvas @param {Trace} trace @param {(entry: number) => void} chosen */
  constructor(canvas, trace, chosen) {
    this.canvas = canvas;
    this.trace = trace;
    this.selected = -1;
    /** All but what is selected: that alone is drawn anew at each step. */
    this.ground = document.createElement("canvas");
    const { seconds } = trace.data.columns;
    this.first = seconds[0] ?? 0;
    this.last = Math.max(seconds[seconds.length - 1] ?? 0, this.first + 1);
    const words = trace.data.readers.join(", ") || "no reader";
    canvas.setAttribute("aria-label", `${trace.length} commands and events in ${words}; the list below has the same`);
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      const entry = this.nearest((event.clientX - box.left) / box.width, Math.floor((event.clientY - box.top) / LANE_PX));
      if (entry >= 0) chosen(entry);
    });
    new ResizeObserver(() => this.draw()).observe(/** @type {HTMLElement} */ (canvas.parentElement));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /**
   * Where an entry stands, from 0 to 1. A log without times has them in their order.
   * @param {number} entry
   */
  place(entry) {
    if (!this.trace.isTimed) return (entry + 0.5) / Math.max(1, this.trace.length);
    return (this.trace.number("seconds", entry) - this.first) / (this.last - this.first);
  }

  /** @param {number} place @param {number} lane */
  nearest(place, lane) {
    let best = -1;
    let least = Infinity;
    for (let entry = 0; entry < this.trace.length; entry++) {
      if (this.trace.number("reader", entry) !== lane) continue;
      const distance = Math.abs(this.place(entry) - place);
      if (distance < least) [best, least] = [entry, distance];
    }
    return best;
  }

  /** @param {number} entry */
  select(entry) {
    this.selected = entry;
    this.mark();
  }

  draw() {
    const width = this.canvas.parentElement?.clientWidth ?? 0;
    const lanes = Math.max(1, this.trace.data.readers.length);
    const height = lanes * LANE_PX + (this.trace.isTimed ? TICK_PX : 0);
    const scale = devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.ground]) {
      canvas.width = width * scale;
      canvas.height = height * scale;
    }
    this.canvas.style.height = `${height}px`;
    const pen = this.ground.getContext("2d");
    if (!pen || !width) return;
    pen.scale(scale, scale);
    for (let lane = 0; lane < lanes; lane++) {
      pen.fillStyle = colour("lane");
      pen.fillRect(0, lane * LANE_PX + 2, width, LANE_PX - 4);
    }
    const { outcomes, columns } = this.trace.data;
    const drawn = new Uint8Array(outcomes.length * lanes * (width + 1));
    for (let entry = 0; entry < this.trace.length; entry++) {
      const x = Math.round(this.place(entry) * (width - 2));
      drawn[(columns.outcome[entry] * lanes + columns.reader[entry]) * (width + 1) + x] = 1;
    }
    // What is rarer is drawn later, and stays to be seen.
    for (const name of ["probe", "done", "event", "refused"]) {
      pen.fillStyle = colour(name);
      const top = name === "probe" ? 8 : name === "event" ? 2 : 5;
      const begin = outcomes.indexOf(name) * lanes * (width + 1);
      for (let at = 0; at < lanes * (width + 1); at++) {
        if (!drawn[begin + at]) continue;
        const lane = Math.floor(at / (width + 1));
        pen.fillRect(at % (width + 1), lane * LANE_PX + top, 2, LANE_PX - 2 * top);
      }
    }
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = colour("faint");
    if (this.trace.isTimed) {
      for (let tick = 0; tick <= 4; tick++) {
        const words = `${((this.first + ((this.last - this.first) * tick) / 4) / 1e6).toFixed(2)} s`;
        pen.textAlign = tick === 0 ? "left" : tick === 4 ? "right" : "center";
        pen.fillText(words, (width * tick) / 4, height - 3);
      }
    }
    this.mark();
  }

  /** What is selected, above the rest. */
  mark() {
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.ground.width) return;
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.ground, 0, 0);
    if (this.selected < 0) return;
    const scale = devicePixelRatio || 1;
    const x = Math.round(this.place(this.selected) * (this.canvas.width / scale - 2));
    pen.fillStyle = colour("ink");
    pen.fillRect(x * scale, this.trace.number("reader", this.selected) * LANE_PX * scale, 2 * scale, LANE_PX * scale);
  }
}
