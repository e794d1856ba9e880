// The URL is the state of the charts: read here, written here, and followed when it changes.

import { emit } from "./bus.js";
import { readView, VIEW_PARAMS } from "./chart-view.js";

const params = () => new URLSearchParams(location.search);

let shown = { search: null, view: null };
let others = ""; // the parameters that are the server's, as the page was made with them

/** The view of the charts: see chart-view.js. */
export const chartView = () => {
  if (shown.search !== location.search) shown = { search: location.search, view: readView(params()) };
  return shown.view;
};

/** Write parameters, and tell the charts: {name: text, several texts, or "" for none}. `isStep`: the back button undoes it. */
export const changeView = (changes, { isStep = false } = {}) => {
  const query = params();
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    [value].flat().forEach((one) => one !== "" && query.append(name, one));
  }
  const address = query.size ? `?${readable(query)}` : location.pathname;
  if (isStep) history.pushState({ charts: true }, "", address);
  else history.replaceState(history.state, "", address);
  emit("view");
};

/** Commas and colons need no escape, and a link is read by people. */
const readable = (query) => query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");

/** What a form's request must carry along so that the pushed URL keeps it. */
export const browserParams = () => [...params()].filter(([name]) => VIEW_PARAMS.includes(name));

const serverPart = () => JSON.stringify([location.pathname, [...params()].filter(([name]) => !VIEW_PARAMS.includes(name))]);

/** Back and forward between two views of the same page: nothing is to be asked of the server. */
const travel = (event) => {
  if (serverPart() !== others) return;
  event.stopImmediatePropagation(); // htmx would load the page anew
  emit("view");
};

export const startUrlState = () => {
  others = serverPart();
  addEventListener("popstate", travel);
  document.addEventListener("htmx:pushedIntoHistory", () => {
    others = serverPart();
    emit("view");
  });
};
