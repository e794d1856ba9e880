// One stream for all chosen runs. The old one is closed when the new one is open: nothing is missed.

import { emit, listen } from "./bus.js";
import { showLive } from "./live-dot.js";
import { collectPoints } from "./live-points.js";
import { chosenRuns } from "./selection.js";

const RETRY_MS = 3000;
const READY_MS = 1500; // charts wait this long for the stream, then they load without it
const FLUSH_MS = 50; // a timer, not a frame: a tab that nobody sees takes its points in, too

let source = null; // the stream that delivers
let coming = null; // the one that will replace it
let pending = new Map();
let opened = Promise.resolve();

/** Resolves when live points flow, or when it has been waited for long enough. */
export const streamReady = () => opened;

const connect = ({ reload = false } = {}) => {
  coming?.close();
  const grid = document.querySelector("#chart-grid");
  const keys = chosenRuns().map(({ key }) => encodeURIComponent(key));
  if (!grid || !keys.length) return disconnect();
  const stream = new EventSource(`${grid.dataset.api}/stream?runs=${keys.join(",")}`);
  coming = stream;
  opened = new Promise((resolve) => {
    setTimeout(resolve, READY_MS);
    stream.onopen = () => {
      takeOver(stream);
      resolve();
      emit("stream-open", { reload });
      reload = false;
    };
  });
  stream.onerror = () => recover(stream);
  stream.addEventListener("metric", ({ data }) => queuePoints(JSON.parse(data)));
  stream.addEventListener("status", ({ data }) => emit("status", JSON.parse(data)));
  stream.addEventListener("deleted", ({ data }) => emit("deleted", JSON.parse(data)));
  return undefined;
};

const disconnect = () => {
  source?.close();
  source = coming = null;
  showLive("off");
};

const takeOver = (stream) => {
  if (source !== stream) source?.close();
  source = stream;
  coming = null;
  showLive("on");
};

/** EventSource comes back by itself and resumes, unless the server refused it. */
const recover = (stream) => {
  if (stream !== source && stream !== coming) return;
  showLive("waiting");
  if (stream.readyState !== EventSource.CLOSED) return;
  setTimeout(() => (stream === source || stream === coming) && connect({ reload: true }), RETRY_MS);
};

const queuePoints = (event) => {
  if (!pending.size) setTimeout(flush, FLUSH_MS);
  collectPoints(pending, event);
};

const flush = () => {
  const byMetric = pending;
  pending = new Map();
  emit("points", { byMetric });
};

export const startLive = () => {
  let watched = "";
  const follow = () => {
    const keys = JSON.stringify(chosenRuns().map(({ key }) => key));
    if (keys !== watched) connect();
    watched = keys;
  };
  listen("selection", follow);
  follow();
  addEventListener("pagehide", disconnect);
  // The back button may bring the page back as it was left, without its stream.
  addEventListener("pageshow", ({ persisted }) => persisted && connect({ reload: true }));
};
