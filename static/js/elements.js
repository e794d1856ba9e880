// Elements that scripts make; textContent only: names come from anybody.

import { endsOf } from "./format.js";
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

/** The names of a sweep differ at their ends. */
export const nameOf = ({ name }) => {
  const made = element("span", "line-name both-ends");
  made.dir = "auto";
  made.append(...endsOf(name).map((part) => element("span", "", part)));
  return made;
};
