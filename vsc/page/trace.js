"use strict";
// The page of a trace that has ended: puts the parts together.

/** @template {HTMLElement} T @param {string} id @returns {T} */
function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}

function start() {
  const trace = new Trace(JSON.parse(byId("data").textContent ?? ""));
  const { data } = trace;
  const query = /** @type {HTMLInputElement} */ (byId("query"));
  const command = /** @type {HTMLSelectElement} */ (byId("command"));
  const fold = /** @type {HTMLInputElement} */ (byId("fold"));
  /** @type {HTMLInputElement[]} */
  const outcomes = [];
  const detail = new Detail(byId("detail"), trace);
  const lanes = new Lanes(/** @type {HTMLCanvasElement} */ (byId("time")), trace, choose);
  const list = new List(byId("list"), byId("rows"), trace, (item) => {
    detail.show(item);
    lanes.select(item === null ? -1 : trace.entryOf(item));
  }, (run) => {
    if (!trace.open.delete(run)) trace.open.add(run);
    renew();
  });

  function renew() {
    const selected = list.at < 0 ? null : trace.view[list.at];
    const shown = new Set(outcomes.flatMap((box, number) => (box.checked ? [number] : [])));
    const count = trace.show({ query: query.value.trim(), command: command.value, outcomes: shown, fold: fold.checked });
    byId("count").textContent = count === trace.length ? `${count} entries` : `${count} of ${trace.length} entries`;
    list.renew(selected);
  }

  /**
   * Selects an entry, and shows it if it is folded away.
   * @param {number} entry
   */
  function choose(entry) {
    let at = trace.view.indexOf(entry);
    if (at < 0) at = trace.view.findIndex((item) => {
      if (item >= 0) return false;
      const [first, size] = data.runs[-1 - item];
      return entry >= first && entry < first + size;
    });
    if (at >= 0) list.select(at);
  }

  byId("title").textContent = data.title;
  byId("when").textContent = data.started === null ? "" : new Date(data.started * 1000).toLocaleString();
  byId("summary").append(...data.summary.map((line) => element("li", line.startsWith("refused") ? "refused" : "", line)));
  byId("notes").append(...data.notes.map(([title, text]) => {
    const note = element("details");
    note.append(element("summary", "", title), element("pre", "", text));
    return note;
  }));
  const counts = trace.counts();
  const names = { done: "done", refused: "refused", probe: "probing", event: "events" };
  data.outcomes.forEach((outcome, number) => {
    const label = element("label", `chip ${outcome}`);
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.id = `show-${outcome}`;
    label.append(box, ` ${names[/** @type {keyof typeof names} */ (outcome)]} ${counts[number]}`);
    outcomes.push(box);
    byId("outcomes").append(label);
  });
  for (const [name, count] of trace.commands()) {
    command.append(new Option(`${name} (${count})`, name));
  }
  query.addEventListener("input", renew);
  for (const control of [command, fold, ...outcomes]) control.addEventListener("change", renew);
  document.addEventListener("keydown", (event) => keyed(event));

  /** @param {KeyboardEvent} event */
  function keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key === "Escape") {
      [query.value, command.value] = ["", ""];
      renew();
      byId("list").focus();
      return;
    }
    // Typing, choosing and scrolling elsewhere are not for the list.
    if (target.closest("input[type=search], select, pre, summary")) return;
    const isRefused = (/** @type {number} */ item) => item >= 0 && trace.outcome(item) === "refused";
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => list.step(1),
      ArrowUp: () => list.step(-1),
      j: () => list.step(1),
      k: () => list.step(-1),
      PageDown: () => list.step(list.page),
      PageUp: () => list.step(-list.page),
      Home: () => list.select(0),
      End: () => list.select(trace.view.length - 1),
      n: () => list.step(1, isRefused),
      p: () => list.step(-1, isRefused),
      "/": () => query.focus(),
    };
    if (event.key === "Enter" && list.at >= 0 && trace.view[list.at] < 0 && !target.closest("button")) {
      list.toggled(-1 - trace.view[list.at]);
    } else if (keys[event.key]) {
      keys[event.key]();
    } else return;
    event.preventDefault();
  }

  renew();
  document.documentElement.dataset.ready = "yes";
}

start();
