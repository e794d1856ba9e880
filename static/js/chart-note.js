// The words around a chart: how much it shows, how old its last point is, which line is whose.

import { showLegend } from "./chart-legend.js";
import { newestTime } from "./chart-lines.js";
import { age } from "./format.js";
import { describe, noteText } from "./note-text.js";

const DAY_MS = 86_400_000; // the age of an old chart says nothing

export const showWords = (chart, picture) => {
  const { metric, box, error, lines } = chart;
  showNote(chart, error || noteText(lines, picture), newestTime(lines));
  box.ariaLabel = describe(metric, lines);
  chart.querySelector("[data-log]").hidden = !picture.isLog;
  showLegend(chart);
};

const showNote = (chart, text, newestMs) => {
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
