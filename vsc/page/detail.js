"use strict";
// What is known of one entry.

/** @param {HTMLElement} box @param {string} title @param {...HTMLElement} parts */
function section(box, title, ...parts) {
  box.append(element("h3", "", title), ...parts);
}

/** @param {string[]} bytes */
function hex(bytes) {
  return element("code", "hex", bytes.join(" "));
}

/** @param {Tlv[]} objects @returns {HTMLElement} */
function tree(objects) {
  const list = element("ul", "tlv");
  for (const one of objects) {
    const item = element("li");
    item.append(element("b", "", one.tag), ` ${one.name ? `${one.name}, ` : ""}${byteCount(one.length)} `);
    item.append(one.inside.length ? tree(one.inside) : hex(one.value));
    list.append(item);
  }
  return list;
}

/**
 * A line of a difference, as the trace has it, what was and what is set apart.
 * @param {string} line
 */
function change(line) {
  const item = element("li");
  const [, name, before, after] = /^(.*?)([^ :]+) -> (.*)$/.exec(line) ?? /^(.*: )(.*) -> (.*)$/.exec(line) ?? [];
  if (after === undefined) {
    item.textContent = line;
    return item;
  }
  item.append(name, element("del", "", before), " -> ", element("ins", "", after));
  return item;
}

/** @param {string} words */
async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    return false; // The browser does not let a page from a file: the text stands there to be marked.
  }
}

class Detail {
  /** @param {HTMLElement} box @param {Trace} trace */
  constructor(box, trace) {
    this.box = box;
    this.trace = trace;
  }

  /** @param {number | null} item a line of the view */
  show(item) {
    this.box.replaceChildren();
    this.box.scrollTop = 0;
    if (item === null) {
      this.box.append(element("p", "faint", "Nothing is selected."));
    } else if (item < 0) {
      const [, , sentence] = this.trace.data.runs[-1 - item];
      this.box.append(element("h2", "", sentence));
      this.box.append(element("p", "", "A host that looks for the driver of a card asks it for what other cards have. That these questions are refused says nothing about what the host wants. Enter, or a click, shows each."));
    } else {
      this.entry(item);
    }
  }

  /** @param {number} entry */
  entry(entry) {
    const { trace, box } = this;
    const isEvent = trace.outcome(entry) === "event";
    const [rowName, access, spec] = trace.data.rows[trace.number("row", entry)];
    box.append(element("h2", "", `${trace.word("command", entry)} ${trace.word("details", entry)}`.trim()));
    if (!isEvent) {
      const status = [trace.word("status", entry), trace.word("answer", entry)].filter(Boolean).join(", ");
      box.append(element("p", `status ${trace.outcome(entry)}`, status));
      if (trace.number("why", entry)) box.append(element("p", "why", `why: ${trace.word("why", entry)}`));
      if (trace.number("perhaps", entry)) box.append(element("p", "why", `perhaps: ${trace.word("perhaps", entry)}`));
    }
    const changes = trace.word("changes", entry).split("\n").filter(Boolean);
    if (changes.length) {
      const list = element("ul", "diff");
      list.append(...changes.map(change));
      section(box, "Changed on the card", list);
    }
    if (!isEvent) {
      this.command(entry, rowName);
      this.answer(entry);
    }
    this.facts(entry, access, spec);
    if (!isEvent) this.recipes(entry);
  }

  /** @param {number} entry @param {string} name */
  command(entry, name) {
    const { trace, box } = this;
    const { fields, data } = commandFields(
      bytesOf(trace.word("sent", entry)), trace.number("hidden", entry), name || trace.word("command", entry));
    const table = element("table", "fields");
    const head = element("tr");
    for (const words of ["field", "bytes", "meaning"]) {
      const cell = element("th", "", words);
      cell.setAttribute("scope", "col");
      head.append(cell);
    }
    table.append(head);
    for (const field of fields) {
      const row = element("tr");
      const cell = element("td");
      cell.append(field.bytes.length ? hex(field.bytes) : element("span", "faint", "…"));
      const th = element("th", "", field.name);
      th.setAttribute("scope", "row");
      row.append(th, cell, element("td", "", field.meaning));
      table.append(row);
    }
    section(box, "Command", table);
    const objects = data.length > 2 ? tlvs(data, trace.data.tags) : null;
    if (objects) section(box, "Data of the command", tree(objects));
  }

  /** @param {number} entry */
  answer(entry) {
    const bytes = bytesOf(this.trace.word("answered", entry));
    if (!bytes.length) return;
    const parts = [];
    if (bytes.length > 2) {
      const objects = tlvs(bytes.slice(0, -2), this.trace.data.tags);
      parts.push(objects ? tree(objects) : hex(bytes.slice(0, -2)));
    }
    const sw = element("p");
    sw.append("SW ", hex(bytes.slice(-2)), ` ${this.trace.word("status", entry).slice(5)}`);
    section(this.box, "Answer", ...parts, sw);
  }

  /** @param {number} entry @param {string} access @param {string} spec */
  facts(entry, access, spec) {
    const { trace } = this;
    const took = trace.number("took", entry);
    const channel = trace.number("channel", entry);
    const list = element("dl");
    for (const [name, words] of [
      ["application", trace.word("application", entry)],
      ["channel", channel ? String(channel) : ""],
      ["allowed", access],
      ["defined in", spec],
      ["reader", trace.data.readers[trace.number("reader", entry)]],
      ["time", trace.isTimed ? `${(trace.number("seconds", entry) / 1e6).toFixed(6)} s` : ""],
      ["took", took ? `${(took / 1000).toFixed(3)} ms` : ""],
    ]) {
      if (words) list.append(element("dt", "", name), element("dd", "", words));
    }
    section(this.box, "Facts", list);
  }

  /** @param {number} entry */
  recipes(entry) {
    const box = element("div", "recipes");
    for (const [name, words] of [
      ["vsc transmit", asTransmit(this.trace, entry)],
      ["pytest test", asTest(this.trace, entry)],
    ]) {
      const button = element("button", "", `Copy as ${name}`);
      button.setAttribute("type", "button");
      const text = element("pre", "", words);
      text.tabIndex = 0;
      button.addEventListener("click", async () => {
        const isCopied = await copy(words);
        if (!isCopied) getSelection()?.selectAllChildren(text);
        button.textContent = isCopied ? "Copied" : "Marked: copy it with Ctrl-C";
      });
      box.append(button, text);
    }
    section(this.box, "Run it again", box);
  }
}
