// A swap takes the focused link or button away: the one that has come in its place gets the focus.
// htmx does so for elements with an id, keys.js for rows.

let lost = null; // {tag, label}

const labelOf = (element) => element.ariaLabel ?? element.textContent.trim();

const note = ({ detail: { target } }) => {
  const focused = document.activeElement;
  lost = target.contains(focused) && !focused.id ? { tag: focused.localName, label: labelOf(focused) } : null;
};

const restore = ({ detail: { target } }) => {
  if (!lost || document.activeElement !== document.body) return;
  const place = document.getElementById(target.id);
  const twin = [...(place?.querySelectorAll(lost.tag) ?? [])].find((element) => labelOf(element) === lost.label);
  const isShown = twin?.checkVisibility();
  (isShown ? twin : twin?.closest("details")?.querySelector("summary"))?.focus({ preventScroll: true });
};

export const startFocus = () => {
  document.addEventListener("htmx:beforeSwap", note);
  document.addEventListener("htmx:afterSettle", restore);
};
