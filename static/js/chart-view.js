// How all charts of the page are shown, as the URL holds it; no DOM.

/** Parameters that only the browser reads and writes: forms carry them along as they are. */
export const VIEW_PARAMS = ["smooth", "x", "xr", "log", "outliers", "group", "fold"];

const ALL = "*"; // log=*: every chart but those that are named beside it
const DIGITS = 4; // of a zoom's span: enough for any screen, and short in a link

/** {smooth, x, range, logs, hidesOutliers, group}; what the URL says wrongly counts as not said. */
export const readView = (params) => {
  const smooth = Number(params.get("smooth"));
  return {
    smooth: smooth > 0 && smooth < 1 ? smooth : 0,
    x: readAxis(params.get("x") ?? ""),
    range: readRange(params.get("xr") ?? ""),
    logs: new Set(params.getAll("log")),
    hidesOutliers: params.get("outliers") === "off",
    group: params.get("group") ?? "",
  };
};

const readAxis = (text) => (["time", "relative"].includes(text) || /^metric:./.test(text) ? text : "step");

const readRange = (text) => {
  const [from, to, ...more] = text.split(",").map((word) => (word.trim() ? Number(word) : NaN));
  return Number.isFinite(from) && Number.isFinite(to) && from < to && !more.length ? [from, to] : null;
};

/** The range as the URL writes it. */
export const rangeText = ([from, to]) => {
  const digits = Math.max(0, Math.min(12, DIGITS - Math.floor(Math.log10(to - from))));
  return [from, to].map((value) => Number(value.toFixed(digits))).join(",");
};

export const isLog = ({ logs }, metric) => logs.has(ALL) !== logs.has(metric);

export const isLogForAll = ({ logs }) => logs.has(ALL);

/** The `log` parameters after the chart was switched. */
export const toggleLog = ({ logs }, metric) => (logs.has(metric) ? [...logs].filter((name) => name !== metric) : [...logs, metric]);

/** The `log` parameters after all charts were switched. */
export const toggleLogForAll = ({ logs }) => (logs.has(ALL) ? [] : [ALL]);

/** The address with these view parameters [name, value] instead of its own. */
export const carryView = (address, pairs) => {
  const [path, search = ""] = address.split("?");
  const query = new URLSearchParams(search);
  VIEW_PARAMS.forEach((name) => query.delete(name));
  pairs.forEach(([name, value]) => query.append(name, value));
  return query.size ? `${path}?${query}` : path;
};
