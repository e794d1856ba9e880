// The dot in the top bar: "Live" while one of the chosen runs is running, and the age of its last point.

import { listen } from "./bus.js";
import { age } from "./format.js";
import { isTraining, newestOf } from "./live-points.js";
import { chosenRuns } from "./selection.js";

const statuses = new Map(); // run key → what the stream said last
let stream = "off";
let newest = 0; // UNIX ms

const word = () => {
  if (stream !== "on") return stream === "waiting" ? "Reconnecting" : "";
  return isTraining(chosenRuns(), statuses) ? "Live" : ""; // that all is over needs no word
};

const render = () => {
  const dot = document.querySelector("#live");
  const text = word();
  dot.dataset.state = text ? stream : "off";
  dot.querySelector(".live-word").replaceChildren(text, ...(text === "Live" && newest ? [" · ", ageElement()] : []));
};

/** times.js keeps it up to date; nobody wants it read out each second. */
const ageElement = () => {
  const time = document.createElement("time");
  time.dateTime = new Date(newest).toISOString();
  time.dataset.ago = "";
  time.ariaHidden = "true";
  time.title = `Last point: ${new Date(newest).toLocaleString()}`;
  time.textContent = age(newest, Date.now());
  return time;
};

/** `state`: "off", "on" or "waiting". */
export const showLive = (state) => {
  stream = state;
  render();
};

export const startLiveDot = () => {
  listen("selection", render);
  listen("status", ({ run, status }) => {
    statuses.set(run, status);
    render();
  });
  listen("points", ({ byMetric }) => {
    const moment = newestOf(byMetric);
    if (moment - newest < 1000) return; // the age shows whole seconds
    newest = moment;
    render();
  });
};
