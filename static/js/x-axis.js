// What stands along the x axis: steps, time since the start, the clock, or another metric; no DOM.

import { count, durationText, figure, tickLabels } from "./format.js";

const WHOLE_STEPS = [1, 2, 5].flatMap((digit) => [...Array(16)].map((_, i) => digit * 10 ** i)).sort((a, b) => a - b);
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const SPANS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((days) => days * DAY),
];
const METRIC = "metric:";

/** {name, title, isTime, room(min, max), increments, labels(ticks, increment), reading(x), where(x)} of an `x` parameter. */
export const axisOf = (x) => {
  if (x.startsWith(METRIC)) return metricAxis(x.slice(METRIC.length));
  return AXES[x] ?? AXES.step;
};

const AXES = {
  step: { name: "step", title: "", isTime: false, increments: WHOLE_STEPS, labels: tickLabels, reading: (x) => `step ${count(x)}`, where: (x) => `@ ${count(x)}` },
  relative: {
    name: "time",
    title: "",
    isTime: false,
    room: (min, max) => spanRoom(Math.max(Math.abs(min), Math.abs(max)), (max - min) / 5),
    increments: SPANS,
    labels: (ticks, increment) => ticks.map((tick) => (tick === null ? "" : spanLabel(tick, increment))),
    reading: (x) => spanText(x),
    where: (x) => `@ ${spanText(x)}`,
  },
  time: { name: "", title: "", isTime: true, increments: null, labels: null, reading: (x) => clockText(x), where: (x) => `@ ${hourText(x)}` },
};

const metricAxis = (metric) => ({
  name: "",
  title: metric,
  isTime: false,
  increments: null,
  labels: tickLabels,
  reading: (x) => `${metric} ${figure(x)}`,
  where: (x) => `@ ${figure(x)}`,
});

/** `0`, `45 s`, `2 h`, `2 h 30 m`: no more units than tell the ticks apart. */
const spanLabel = (seconds, increment) => {
  if (seconds === 0) return "0";
  if (increment < 1) return `${Number(seconds.toFixed(3))} s`;
  return signed(seconds, (size) => durationText(size, 4)); // ticks end at round units: the rest is zero
};

/** The width of labels that name every unit from the greatest down to that of the ticks. */
const spanRoom = (greatest, between) => {
  const unitOf = (seconds) => [DAY, HOUR, MINUTE].filter((unit) => seconds < unit).length;
  return 36 + 30 * Math.max(0, unitOf(between) - unitOf(greatest));
};

const spanText = (seconds) => signed(seconds, (size) => (size < MINUTE ? `${figure(Number(size.toFixed(3)))} s` : durationText(size, 3)));

/** A run may bring points that are older than itself. */
const signed = (seconds, text) => (seconds < 0 ? `-${text(-seconds)}` : text(seconds));

/** The moment in the reader's own zone: `21 Nov, 15:04:05`. */
const clockText = (ms) =>
  new Date(ms).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

const hourText = (ms) => new Date(ms).toLocaleTimeString("en-GB");

/** Whether live points have a place on the axis: where another metric lies, only the server knows. */
export const takesLivePoints = ({ x, group }) => !group && !x.startsWith(METRIC);

/** uPlot's labels of a clock: [least increment in s, label, then what a new year, day, … adds to it]. */
const NEW_DAY = "\n{D} {MMM}";
export const CLOCK_LABELS = [
  [DAY * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [DAY * 28, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [DAY, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [HOUR, "{HH}:{mm}", NEW_DAY, null, NEW_DAY, null, null, null, 1],
  [MINUTE, "{HH}:{mm}", NEW_DAY, null, NEW_DAY, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", NEW_DAY, null, NEW_DAY, null, null, null, 1],
  [0.001, ":{ss}.{fff}", "\n{HH}:{mm}", null, "\n{HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
].map(([least, ...rest]) => [least * 1000, ...rest]);
