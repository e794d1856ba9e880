// Elements that scripts make; textContent only: names come from anybody.

import { dashPlace } from "./runs.js";

export const element = (tag, className, text = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
};

/** A short piece of the line. */
export const lineSample = ({ color, dash }) => {
  const sample = element("i", "line-sample");
  sample.style.color = color;
  sample.dataset.dash = dashPlace(dash);
  return sample;
};
