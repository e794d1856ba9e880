// A chart on the whole screen: buttons with `data-full`. Esc leaves, and leaves the zoom as it is.

const FALLBACK = "is-full"; // where the browser refuses: over the page instead
let full = null;
let opener = null;

const figureOf = (button) => button.closest("metric-chart, [data-figure]");

const enter = async (figure, button) => {
  full = figure;
  opener = button;
  figure.classList.add(FALLBACK);
  document.documentElement.classList.add("has-full");
  mark(figure, true);
  try {
    await figure.requestFullscreen?.();
  } catch {
    // the class does it
  }
  refit(figure);
};

const leave = () => {
  if (!full) return;
  const figure = full;
  full = null;
  figure.classList.remove(FALLBACK);
  document.documentElement.classList.remove("has-full");
  mark(figure, false);
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  refit(figure);
  if (opener?.isConnected) opener.focus();
};

const mark = (figure, isFull) => {
  for (const button of figure.querySelectorAll("[data-full]")) button.setAttribute("aria-pressed", String(isFull));
};

/** After the new size is there. */
const refit = (figure) => requestAnimationFrame(() => figure.fit?.());

const press = ({ target }) => {
  const button = target.closest("[data-full]");
  if (!button) return;
  if (full) leave();
  else if (figureOf(button)) enter(figureOf(button), button);
};

/** Before anybody else hears it: outside, Esc shows the whole range again. */
const pressKey = (event) => {
  if (event.key !== "Escape" || !full) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  leave();
};

export const startFullscreen = () => {
  document.addEventListener("click", press);
  addEventListener("keydown", pressKey, { capture: true });
  document.addEventListener("fullscreenchange", () => document.fullscreenElement || leave());
};
