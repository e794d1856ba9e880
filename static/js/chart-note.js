// The line of text below a chart: how much it shows, and how old its last point is.

import { age } from "./format.js";

const DAY_MS = 86_400_000; // the age of an old chart says nothing

export const showNote = (chart, text, newestMs) => {
  const note = chart.querySelector(".chart-note");
  note.title = text;
  note.replaceChildren(text);
  if (newestMs && Date.now() - newestMs < DAY_MS) note.append(" · last ", ageElement(newestMs));
};

/** times.js keeps it up to date. */
const ageElement = (momentMs) => {
  const time = document.createElement("time");
  time.dateTime = new Date(momentMs).toISOString();
  time.dataset.ago = "";
  time.textContent = age(momentMs, Date.now());
  return time;
};
