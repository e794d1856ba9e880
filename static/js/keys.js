// The keyboard. Pages only mark their parts: rows `data-row="KEY"`, in them a link `data-open` and a
// tick box; the search field `data-search`; what compares the chosen rows `data-compare`.

import { actionOf, isTyping, placeAfter } from "./keymap.js";

let lastRow = null; // data-row of the row that has, or had, the focus

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());

const focusedRow = () => document.activeElement?.closest("[data-row]");

const focusRow = (row) => {
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
};

const move = (step) => {
  const all = rows();
  const place = all.findIndex((row) => row === focusedRow() || (!focusedRow() && row.dataset.row === lastRow));
  const next = placeAfter(place, step, all.length);
  if (next >= 0) focusRow(all[next]);
};

const open = (event) => {
  if (!event.target.matches("[data-row]")) return false; // links and buttons know what Enter is
  event.target.querySelector("[data-open]")?.click();
  return true;
};

const ACT = {
  search: () => {
    const field = document.querySelector("[data-search]");
    field?.focus();
    field?.select();
  },
  next: () => move(1),
  previous: () => move(-1),
  select: () => focusedRow()?.querySelector("input[type=checkbox]")?.click(),
  compare: () => {
    const button = document.querySelector("[data-compare]");
    if (button?.checkVisibility({ visibilityProperty: true })) button.click(); // hidden: nothing is chosen
  },
  open,
  help: () => document.querySelector("#keys")?.showModal(),
};

const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
};

const pressKey = (event) => {
  const action = actionOf(event);
  if (action === "close") closeMenus(null);
  if (!ACT[action] || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (ACT[action](event) !== false) event.preventDefault();
};

/** A list that renews itself takes the focused row away with it. */
const restoreFocus = () => {
  if (lastRow === null || document.activeElement !== document.body) return;
  const row = rows().find(({ dataset }) => dataset.row === lastRow);
  if (row) focusRow(row);
};

export const startKeys = () => {
  document.addEventListener("keydown", pressKey);
  document.addEventListener("focusin", ({ target }) => (lastRow = target.closest("[data-row]")?.dataset.row ?? null));
  document.addEventListener("htmx:afterSettle", restoreFocus);
  document.addEventListener("click", ({ target }) => {
    closeMenus(target.closest("details[data-menu]"));
    if (target.closest("[data-help]")) ACT.help();
  });
};
