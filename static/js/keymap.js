// Which key means what; no DOM.

const ACTIONS = {
  "/": "search",
  j: "next",
  k: "previous",
  x: "select",
  c: "compare",
  Enter: "open",
  "?": "help",
  Escape: "close",
};
const TEXT_INPUTS = ["text", "search", "number", "email", "url", "password", "tel", "date", "datetime-local"];

/** Whether keys belong to this element: tick boxes and buttons have no use for letters. */
export const isTyping = ({ tagName, type, isContentEditable }) =>
  Boolean(isContentEditable) || ["TEXTAREA", "SELECT"].includes(tagName) || (tagName === "INPUT" && TEXT_INPUTS.includes(type));

/** The action of a key press, or undefined: with Ctrl, Alt or Meta it is the browser's. */
export const actionOf = ({ key, ctrlKey, altKey, metaKey }) =>
  ctrlKey || altKey || metaKey ? undefined : ACTIONS[key];

/** The row to go to from the one at `place` (-1: none); it stops at both ends. */
export const placeAfter = (place, step, count) => {
  if (!count) return -1;
  if (place < 0) return step > 0 ? 0 : count - 1;
  return Math.min(count - 1, Math.max(0, place + step));
};
