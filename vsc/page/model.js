"use strict";
// The trace: columns of numbers, one for each entry, and the words that they stand for (vsc/page/data.py).

/**
 * @typedef {"seconds"|"took"|"reader"|"application"|"command"|"details"|"status"|"answer"|"why"|"perhaps"|"channel"|
 *   "sent"|"hidden"|"answered"|"outcome"|"row"|"changes"|"profile"|"kind"} Column
 * @typedef {{title: string, started: number | null, summary: string[], notes: [string, string][], readers: string[],
 *   outcomes: string[], columns: Record<Column, number[]>, rows: [string, string, string][],
 *   runs: [number, number, string][], words: string[], tags: Tags}} Data
 * @typedef {{query: string, command: string, outcomes: Set<number>, fold: boolean}} Filter
 */

/** @type {Column[]} */
const SEARCHED = ["application", "command", "details", "status", "answer", "why", "sent", "answered", "changes"];

class Trace {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.length = data.columns.outcome.length;
    this.isTimed = data.columns.seconds.some((seconds) => seconds > 0);
    /** @type {Set<number>} the runs of probing that are unfolded */
    this.open = new Set();
    /**
     * What is shown, line by line: the number of an entry, or -1 - the number of a run.
     * @type {number[]}
     */
    this.view = [];
    /** @type {string[] | null} */
    this.lower = null;
  }

  /** @param {Column} column @param {number} entry */
  number(column, entry) {
    return this.data.columns[column][entry];
  }

  /** @param {Column} column @param {number} entry */
  word(column, entry) {
    return this.data.words[this.data.columns[column][entry]];
  }

  /** @param {number} entry */
  outcome(entry) {
    return this.data.outcomes[this.number("outcome", entry)];
  }

  /**
   * What a line of the view is told by: an entry, or the first of a run.
   * @param {number} item
   */
  entryOf(item) {
    return item >= 0 ? item : this.data.runs[-1 - item][0];
  }

  /**
   * What an entry says in one line.
   * @param {number} entry
   */
  sentence(entry) {
    const answer = [this.word("status", entry), this.word("answer", entry)].filter(Boolean).join(", ");
    const command = [this.word("application", entry), this.word("command", entry), this.word("details", entry)];
    return [command.filter(Boolean).join(" "), answer].filter(Boolean).join(" -> ");
  }

  /** How many entries have each outcome. */
  counts() {
    const counts = this.data.outcomes.map(() => 0);
    for (const outcome of this.data.columns.outcome) counts[outcome]++;
    return counts;
  }

  /**
   * The names of all commands, the most frequent first.
   * @returns {[string, number][]}
   */
  commands() {
    /** @type {Map<number, number>} */
    const counts = new Map();
    const event = this.data.outcomes.indexOf("event");
    for (let entry = 0; entry < this.length; entry++) {
      if (this.number("outcome", entry) === event) continue;
      const command = this.number("command", entry);
      counts.set(command, (counts.get(command) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]).map(([word, count]) => [this.data.words[word], count]);
  }

  /**
   * Makes the view anew; returns how many entries pass.
   * @param {Filter} filter
   */
  show(filter) {
    const passes = this.passing(filter);
    const folds = filter.fold && !filter.query && !filter.command;
    const probe = this.data.outcomes.indexOf("probe");
    this.view = [];
    let count = 0;
    let run = 0;
    for (let entry = 0; entry < this.length; entry++) {
      if (folds && filter.outcomes.has(probe) && this.data.runs[run]?.[0] === entry) {
        const size = this.data.runs[run][1];
        this.view.push(-1 - run);
        count += size;
        if (this.open.has(run)) for (let at = 0; at < size; at++) this.view.push(entry + at);
        entry += size - 1;
        run++;
        continue;
      }
      if (passes(entry)) {
        this.view.push(entry);
        count++;
      }
    }
    return count;
  }

  /** @param {Filter} filter @returns {(entry: number) => boolean} */
  passing(filter) {
    const command = filter.command ? this.data.words.indexOf(filter.command) : -1;
    // Words, and "several words" that stand together.
    const terms = (filter.query.toLowerCase().match(/"[^"]+"|[^\s"]+/g) ?? []).map((term) => term.replaceAll('"', ""));
    this.lower ??= this.data.words.map((word) => word.toLowerCase());
    const lower = this.lower;
    // Each word is looked at once, however many entries say it.
    const found = terms.map((term) => lower.map((word) => word.includes(term)));
    const columns = SEARCHED.map((name) => this.data.columns[name]);
    return (entry) =>
      filter.outcomes.has(this.number("outcome", entry)) &&
      (command < 0 || this.number("command", entry) === command) &&
      found.every((has) => columns.some((column) => has[column[entry]]));
  }
}
