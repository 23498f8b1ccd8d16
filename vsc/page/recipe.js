"use strict";
// An entry of the trace as something to run again: a command line, a test.

/**
 * The last SELECT by name before an entry that chose its application; -1 if there is none.
 * @param {Trace} trace @param {number} entry
 */
function selectBefore(trace, entry) {
  const reader = trace.number("reader", entry);
  for (let at = entry - 1; at >= 0; at--) {
    if (trace.number("reader", at) !== reader) continue;
    if (trace.outcome(at) === "event") return -1;
    if (trace.outcome(at) === "done" && trace.word("sent", at).startsWith("00A404")) return at;
  }
  return -1;
}

/** @param {Trace} trace @param {number} entry @returns {number[]} */
function steps(trace, entry) {
  const select = selectBefore(trace, entry);
  return select < 0 ? [entry] : [select, entry];
}

/**
 * `vsc transmit` of an entry.
 * @param {Trace} trace @param {number} entry
 */
function asTransmit(trace, entry) {
  const sent = steps(trace, entry).map((at) => trace.word("sent", at));
  if (!trace.number("hidden", entry)) return `vsc transmit NAME ${sent.join(" ")}`;
  // What others could see among the arguments is taken from stdin only, and is not in the trace anyway.
  const last = sent.pop();
  return `printf '%s\\n' ${[...sent, `"${last}$SECRET"`].join(" ")} | vsc transmit NAME -  # SECRET: ${trace.number("hidden", entry)} bytes in hexadecimal`;
}

/**
 * A pytest test of an entry.
 * @param {Trace} trace @param {number} entry
 */
function asTest(trace, entry) {
  const words = `${trace.word("command", entry)} ${trace.word("details", entry)}`;
  const name = words.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_|_$/g, "").slice(0, 60);
  const profile = trace.word("profile", entry);
  const answered = trace.word("answered", entry);
  const [last, ...before] = steps(trace, entry).reverse();
  /** @param {number} at */
  const sends = (at) => `virtual_reader.transmit(bytes.fromhex("${trace.word("sent", at)}")`;
  const hidden = trace.number("hidden", last);
  return [
    "import pytest",
    "",
    "",
    `@pytest.mark.virtual_card(${profile ? `profile="${profile}"` : ""})`,
    `def test_${name || "command"}(virtual_card, virtual_reader):`,
    ...before.map((at) => `    ${sends(at)})  # ${trace.word("command", at)} ${trace.word("details", at)}`),
    ...(hidden ? [`    secret = bytes(${hidden})  # not in the trace: put the real one here`] : []),
    `    answer = ${sends(last)}${hidden ? " + secret" : ""})  # ${words.trim()}`,
    answered ? `    assert answer[-2:].hex() == "${answered.slice(-4).toLowerCase()}"` : "    assert answer == b\"\"",
    "",
  ].join("\n");
}
