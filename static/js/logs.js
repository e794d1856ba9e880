// The log box: its end is in view until the reader scrolls up, and it never grows without bound.

const MAX_LINES = 5000;
const NEAR_PX = 40;

const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;

const scrollToEnd = (box) => (box.scrollTop = box.scrollHeight);

const trim = (box) => {
  const lines = box.querySelectorAll(".log-line");
  for (let place = 0; place < lines.length - MAX_LINES; place += 1) lines[place].remove();
};

/** The tail is replaced by new lines and the next tail. */
const beforeSwap = ({ target }) => {
  const box = target.closest?.("[data-log-box]");
  if (box && target.id === "log-tail") box.dataset.follows = String(isAtEnd(box));
};

const afterLoad = ({ target }) => {
  const box = target.querySelector?.("[data-log-box]") ?? target.closest?.("[data-log-box]");
  if (!box) return;
  trim(box);
  if (box.dataset.follows !== "false") scrollToEnd(box);
};

/** Nobody looks: the tail waits. */
const holdHidden = (event) => {
  if (event.detail.elt.id === "log-tail" && document.hidden) event.preventDefault();
};

export const startLogs = () => {
  document.addEventListener("htmx:beforeSwap", beforeSwap);
  document.addEventListener("htmx:load", afterLoad);
  document.addEventListener("htmx:configRequest", holdHidden);
  document.querySelectorAll("[data-log-box]").forEach(scrollToEnd);
};
