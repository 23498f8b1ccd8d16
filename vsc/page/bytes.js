"use strict";
// Bytes as the page has them: an array of two-character texts, "xx" where the log has blacked one out.

/**
 * @typedef {{name: string, bytes: string[], meaning: string}} Field
 * @typedef {{tag: string, name: string, length: number, value: string[], inside: Tlv[]}} Tlv
 * @typedef {{names: Record<string, string>, inside: Record<string, Record<string, string>>}} Tags
 */

const MAX_DEPTH = 12;

/** @param {number} count */
function byteCount(count) {
  return `${count} byte${count === 1 ? "" : "s"}`;
}

/** @param {string} text @returns {string[]} */
function bytesOf(text) {
  return text.match(/../g) ?? [];
}

/** @param {string[]} bytes */
function numberOf(bytes) {
  return parseInt(bytes.join("") || "0", 16);
}

/** @param {string} cla ISO/IEC 7816-4, class byte @returns {string} */
function classWords(cla) {
  const value = parseInt(cla, 16);
  if (Number.isNaN(value)) return "";
  if (value & 0x80) return "proprietary";
  const further = (value & 0x40) !== 0;
  const channel = further ? 4 + (value & 0x0f) : value & 0x03;
  const secure = further ? value & 0x20 : value & 0x0c;
  return [
    "interindustry",
    channel ? `channel ${channel}` : "",
    value & 0x10 ? "more parts follow" : "",
    secure ? "secure messaging" : "",
  ].filter(Boolean).join(", ");
}

/**
 * A command cut into its fields (ISO/IEC 7816-3, the cases of APDUs).
 * @param {string[]} bytes what can be seen
 * @param {number} hidden how many bytes follow that cannot
 * @param {string} name of the command
 * @returns {{fields: Field[], data: string[]}}
 */
function commandFields(bytes, hidden, name) {
  /** @type {Field[]} */
  const fields = [];
  /** @type {string[]} */
  let data = [];
  /** @param {string} field @param {number} from @param {number} to @param {string} meaning */
  const add = (field, from, to, meaning) => {
    if (from < bytes.length) fields.push({ name: field, bytes: bytes.slice(from, to), meaning });
  };
  add("CLA", 0, 1, bytes.length ? classWords(bytes[0]) : "");
  add("INS", 1, 2, name);
  add("P1-P2", 2, 4, "");
  const rest = bytes.slice(4);
  const isLong = rest.length > 2 && rest[0] === "00";
  const lcSize = isLong ? 3 : 1;
  /** @param {string[]} le */
  const leWords = (le) => `up to ${numberOf(le) || (le.length > 1 ? 65536 : 256)} bytes`;
  if (hidden) {
    if (rest.length) add("Lc", 4, bytes.length, byteCount(numberOf(rest)));
    fields.push({ name: "data", bytes: [], meaning: `${byteCount(hidden)}, not in the trace: a PIN or a key` });
    return { fields, data };
  }
  if (!rest.length) return { fields, data };
  if (rest.length === 1 || (isLong && rest.length === 3)) {
    add("Le", 4, bytes.length, leWords(isLong ? rest.slice(1) : rest));
    return { fields, data };
  }
  const nc = numberOf(isLong ? rest.slice(1, 3) : rest.slice(0, 1));
  const le = rest.slice(lcSize + nc);
  if (rest.length < lcSize + nc || le.length > (isLong ? 2 : 1) || nc === 0) {
    add("?", 4, bytes.length, "lengths do not fit");
    return { fields, data };
  }
  add("Lc", 4, 4 + lcSize, byteCount(nc));
  data = rest.slice(lcSize, lcSize + nc);
  add("data", 4 + lcSize, 4 + lcSize + nc, "");
  add("Le", 4 + lcSize + nc, bytes.length, leWords(le));
  return { fields, data };
}

/**
 * The data objects in BER-TLV (ISO/IEC 7816-4, data objects); null if these are none.
 * @param {string[]} bytes @param {Tags} tags @param {string} around the tag of the template @param {number} depth
 * @returns {Tlv[] | null}
 */
function tlvs(bytes, tags, around = "", depth = 0) {
  /** @type {Tlv[]} */
  const found = [];
  let at = 0;
  while (at < bytes.length) {
    const begin = at;
    const first = parseInt(bytes[at++], 16);
    if (!first) return null;
    if ((first & 0x1f) === 0x1f) {
      while (at < bytes.length && at - begin < 3 && parseInt(bytes[at], 16) & 0x80) at++;
      at++;
    }
    const tag = bytes.slice(begin, at).join("");
    let length = parseInt(bytes[at++] ?? "", 16);
    if (Number.isNaN(length)) return null;
    if (length & 0x80) {
      const size = length & 0x7f;
      if (size < 1 || size > 3) return null;
      length = numberOf(bytes.slice(at, at + size));
      at += size;
    }
    if (Number.isNaN(length) || at + length > bytes.length) return null;
    const value = bytes.slice(at, at + length);
    at += length;
    const inside = first & 0x20 && depth < MAX_DEPTH ? tlvs(value, tags, tag, depth + 1) ?? [] : [];
    found.push({ tag, name: tags.inside[around]?.[tag] ?? tags.names[tag] ?? "", length, value, inside });
  }
  return found;
}
