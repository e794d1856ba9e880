// Keeps the ages on the page up to date.

import { age } from "./format.js";

const EVERY_MS = 1000;

const update = () => {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = age(Date.parse(time.dateTime), Date.now());
    if (time.textContent !== text) time.textContent = text;
  }
};

export const startTimes = () => setInterval(update, EVERY_MS);
