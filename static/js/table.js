// The run table: ticks that outlive swaps, "all that match", and its place while it renews itself.

import { between, refilter, withRuns } from "./ticks.js";

const ticks = new Set(); // keys of runs, on this page of the list and on others
let isMatching = false; // all runs of the filter are meant, not only the ticked ones
let lastTicked = null;
let scrolled = { left: 0, top: 0 };

const find = (selector) => document.querySelector(selector);
const boxes = () => [...document.querySelectorAll("#run-table tbody input[name=run]")];
const isTable = ({ id }) => id === "run-table";

const countText = (total) => (isMatching ? `All ${total.toLocaleString("en")} chosen` : `${ticks.size} chosen`);

const showBar = () => {
  const total = Number(find("#run-table").dataset.total);
  const all = boxes();
  const isFull = all.length > 0 && all.every(({ checked }) => checked);
  const offer = find("[data-choose-matching]");
  find("#bulk").classList.toggle("has-ticks", ticks.size > 0);
  find("[data-count]").textContent = countText(total);
  find("[name=matching]").value = isMatching ? "1" : "";
  offer.hidden = isMatching || !isFull || total <= all.length || total > Number(offer.dataset.limit);
  offer.textContent = `Choose all ${total.toLocaleString("en")} that match`;
  const head = find("[data-tick-all]");
  if (!head) return;
  head.checked = isFull;
  head.indeterminate = !isFull && all.some(({ checked }) => checked);
};

const show = () => {
  boxes().forEach((box) => (box.checked = ticks.has(box.value)));
  history.replaceState(history.state, "", (withRuns(location.search, [...ticks]) || location.pathname) + location.hash);
  showBar();
};

const tick = (some, isTicked) => {
  isMatching = false;
  some.forEach(({ value }) => (isTicked ? ticks.add(value) : ticks.delete(value)));
  show();
};

/** With Shift, all from the box before to this one. */
const tickOne = (box, { shiftKey }) => {
  const all = boxes();
  const before = all.findIndex(({ value }) => value === lastTicked);
  tick(shiftKey && before >= 0 ? between(all, before, all.indexOf(box)) : [box], box.checked);
  lastTicked = box.value;
};

const clear = () => {
  ticks.clear();
  isMatching = false;
  show();
};

const click = (event) => {
  const { target } = event;
  if (target.matches("#run-table tbody input[name=run]")) tickOne(target, event);
  if (target.matches("[data-tick-all]")) tick(boxes(), target.checked);
  if (target.closest("[data-clear]")) clear();
  if (!target.closest("[data-choose-matching]")) return;
  isMatching = true;
  showBar();
};

/** Ticked runs of other pages of the list have no box to be sent by. */
const complete = ({ target, formData }) => {
  if (target.id !== "bulk") return;
  formData.delete("run");
  ticks.forEach((key) => formData.append("run", key));
};

/** The filter and the choice of columns are about the view that the URL shows now. */
const keepView = ({ detail }) => {
  const { elt, formData } = detail;
  if (!elt.matches("[data-keep-view]")) return;
  const filter = elt.matches("input") ? elt.value : new URLSearchParams(location.search).get("q");
  [...formData.keys()].forEach((name) => formData.delete(name));
  refilter(location.search, filter).forEach(([name, value]) => formData.append(name, value));
};

/** What is wrong with the filter stays until it is right, or until it is empty. */
const wait = (event) => {
  if (isTable(event.detail.elt) && find("#query-problem mark")) event.preventDefault();
};

const rememberPlace = ({ detail }) => {
  const box = find("#run-table .table-pane");
  if (isTable(detail.target) && box) scrolled = { left: box.scrollLeft, top: detail.elt === detail.target ? box.scrollTop : 0 };
};

const takeOver = ({ detail }) => {
  if (isTable(detail.target)) find("#run-table .table-pane")?.scrollTo({ ...scrolled, behavior: "instant" });
  if (isTable(detail.target) || detail.target.id === "query-problem") show();
};

/** What the server ticked for the URL, and the reader before this script was there. */
const readTicks = () => {
  if (find("[data-tick-all]")?.checked) boxes().forEach((box) => (box.checked = true));
  const known = [...boxes().filter(({ checked }) => checked), ...document.querySelectorAll("[data-elsewhere]")];
  known.forEach(({ value }) => ticks.add(value));
};

export const startTable = () => {
  if (!find("#bulk")) return;
  readTicks();
  show();
  document.addEventListener("click", click);
  document.addEventListener("formdata", complete);
  document.addEventListener("submit", (event) => event.target.querySelector("input[data-keep-view]") && event.preventDefault());
  document.addEventListener("htmx:configRequest", keepView);
  document.addEventListener("htmx:beforeRequest", wait);
  document.addEventListener("htmx:beforeSwap", rememberPlace);
  document.addEventListener("htmx:afterSettle", takeOver);
};
