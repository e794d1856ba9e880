// Scales of the compare plots: from a run's value to a place on an axis, or to a colour; no DOM.

import { figure, logLabels, tickLabels } from "./format.js";

const TICKS = 6;
const ROOM = 0.04; // of an axis, before its first and after its last value
const MAX_LABELS = 40; // categories beyond that are too close to be read
const DAY_MS = 86_400_000;
const STOPS = [[76, 95, 216], [31, 163, 138], [232, 163, 58]]; // low, middle, high; on light and dark ground

export const isMissing = (value) => value === null || value === undefined || (typeof value === "number" && !Number.isFinite(value));

/**
 * A scale of `kind` (number, time, duration, text) for the values: {at(value) → 0…1 or NaN, ticks:
 * [{share, label}]}. A log scale has no place for what is not above zero.
 */
export const makeScale = (values, { kind, isLog = false }) => {
  const there = values.filter((value) => !isMissing(value));
  if (kind === "text") return textScale(there);
  if (isLog && kind !== "time") return logScale(there.filter((value) => value > 0));
  return linearScale(there, kind);
};

const textScale = (values) => {
  const names = [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const places = new Map(names.map((name, i) => [name, (i + 0.5) / names.length]));
  const every = Math.ceil(names.length / MAX_LABELS);
  return {
    names,
    at: (value) => places.get(value) ?? NaN,
    ticks: names.filter((_, i) => i % every === 0).map((name) => ({ share: places.get(name), label: name })),
  };
};

const extent = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

const padded = (values) => {
  const [low, high] = extent(values);
  if (low > high) return [0, 1];
  if (low === high) return [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(low) * 0.1 || 1)];
  return [low - (high - low) * ROOM, high + (high - low) * ROOM];
};

const linearScale = (values, kind) => {
  const [low, high] = padded(values);
  const at = (value) => (isMissing(value) ? NaN : (value - low) / (high - low));
  const increment = niceStep((high - low) / TICKS);
  const first = Math.ceil(low / increment);
  const ticks = [...Array(Math.max(0, Math.floor(high / increment) - first + 1))].map((_, i) => (first + i) * increment);
  const labels = kind === "time" ? ticks.map((tick) => timeLabel(tick, high - low)) : tickLabels(ticks, increment);
  return { at, ticks: ticks.map((tick, i) => ({ share: at(tick), label: labels[i] + (kind === "duration" ? " s" : "") })) };
};

const logScale = (values) => {
  const [low, high] = values.length ? padded(values.map(Math.log10)) : [0, 1];
  const at = (value) => (value > 0 ? (Math.log10(value) - low) / (high - low) : NaN);
  const powers = [...Array(Math.max(0, Math.ceil(high) - Math.floor(low) + 1))].map((_, i) => Math.floor(low) + i);
  const digits = high - low > 2 ? [1] : [1, 2, 5];
  const every = Math.ceil((high - low) / (2 * TICKS));
  const ticks = powers
    .filter((power) => power % Math.max(1, every) === 0)
    .flatMap((power) => digits.map((digit) => digit * 10 ** power))
    .filter((tick) => at(tick) >= 0 && at(tick) <= 1);
  const labels = logLabels(ticks);
  return { at, ticks: ticks.map((tick, i) => ({ share: at(tick), label: labels[i] })) };
};

/** 1, 2 or 5 times a power of ten, not below what is asked for. */
export const niceStep = (least) => {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].find((digit) => digit * power >= least * (1 - 1e-9)) * power;
};

const timeLabel = (ms, span) => {
  const iso = new Date(ms).toISOString();
  if (span > 2 * DAY_MS) return iso.slice(0, 10);
  return span > DAY_MS / 24 ? iso.slice(11, 16) : iso.slice(11, 19);
};

/** A value as text, for tooltips. */
export const valueText = (value, kind) => {
  if (isMissing(value)) return "–";
  if (kind === "time") return `${new Date(value).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  if (kind === "duration") return `${figure(value)} s`;
  return typeof value === "number" ? figure(value) : String(value);
};

/** What colours the runs: {of(run, value), legend}. `series`: the theme's colours, `none`: of a missing value. */
export const makeColors = (values, kind, series, none) => {
  if (kind === "text") {
    const { names } = textScale(values.filter((value) => !isMissing(value)));
    const colors = new Map(names.map((name, i) => [name, series[i % series.length]]));
    return { of: (value) => colors.get(value) ?? none, legend: names.map((name) => ({ name, color: colors.get(name) })) };
  }
  const there = values.filter((value) => !isMissing(value));
  const [low, high] = extent(there);
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const marks = there.length ? [...new Set([low, (low + high) / 2, high])] : [];
  return {
    of: (value) => (isMissing(value) ? none : rampColor(share(value))),
    legend: marks.map((value) => ({ name: valueText(value, kind), color: rampColor(share(value)) })),
  };
};

/** Low blue, middle green, high amber. */
export const rampColor = (share) => {
  const place = Math.max(0, Math.min(1, share)) * (STOPS.length - 1);
  const from = Math.min(STOPS.length - 2, Math.floor(place));
  const mixed = STOPS[from].map((channel, i) => Math.round(channel + (STOPS[from + 1][i] - channel) * (place - from)));
  return `rgb(${mixed.join(", ")})`;
};
