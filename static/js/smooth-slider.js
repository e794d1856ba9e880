// The smoothing slider: charts follow it at once by themselves, and exactly when it rests.

import { emit } from "./bus.js";
import { changeView, chartView } from "./url-state.js";

const REST_MS = 250;

let draft = null; // the weight while the slider moves
let timer = 0;

/** The weight that charts draw with now. */
export const drawnSmoothing = () => draft ?? chartView().smooth;

const show = (input) => {
  const weight = drawnSmoothing();
  input.value = weight;
  input.closest("label").querySelector("output").textContent = weight;
};

const settle = () => {
  const weight = draft;
  draft = null;
  changeView({ smooth: weight ? String(weight) : "" });
};

const move = (input) => {
  draft = Number(input.value);
  show(input);
  emit("smoothing");
  clearTimeout(timer);
  timer = setTimeout(settle, REST_MS);
};

/** Follow the slider, and the URL when it changes by other means. */
export const startSmoothing = () => {
  document.addEventListener("input", ({ target }) => target.matches("[data-smoothing]") && move(target));
};

export const showSmoothing = () => document.querySelectorAll("[data-smoothing]").forEach(show);
