// How numbers and times are shown. Twin of dashboard/templatetags/dashboard_format.py; no DOM.

const AGE_UNITS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
const SI = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const NEEDS_UNIT = 9999.5; // 1,234 has four digits without one, 12,340 has not

/** Four significant digits; whole numbers below a million stay whole. */
export const figure = (value) => {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return count(value);
  if (size >= 1e15 || size < 1e-4) return trimmed(value.toExponential(3)).replace("e+", "e");
  const [divisor, suffix] = size < NEEDS_UNIT ? [1, ""] : SI.find(([unit]) => size >= unit);
  return trimmed((value / divisor).toPrecision(4)) + suffix;
};

/** Figures for a column: those without unit or exponent have as many decimals as the finest one needs. */
export const figures = (values) => {
  const digits = Math.max(0, ...values.filter((value) => isPlain(value) && !Number.isInteger(value)).map(decimalsOf));
  return values.map((value) => (digits && isPlain(value) ? value.toFixed(digits) : figure(value)));
};

const isPlain = (value) => value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < NEEDS_UNIT);

/** Decimals that make four significant digits: 0.5 → 4, 12.5 → 2. */
const decimalsOf = (value) => Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value))));

const trimmed = (text) => text.replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1");

/** 1,234,567 */
export const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** Age of a moment, both in ms: one unit, as the server writes it. */
export const age = (momentMs, nowMs) => {
  const seconds = Math.floor((nowMs - momentMs) / 1000);
  if (seconds < 5) return "just now";
  const [unit, size] = AGE_UNITS.find(([, s]) => seconds >= s);
  return `${Math.floor(seconds / size)} ${unit} ago`;
};

/** The two greatest units: `2 h 14 m`, `14 m 3 s`, `3 s`; or `unitCount` of them. */
export const durationText = (seconds, unitCount = 2) => {
  let rest = Math.max(0, Math.floor(seconds));
  const parts = AGE_UNITS.map(([unit, size]) => {
    const number = Math.floor(rest / size);
    rest -= number * size;
    return [number, unit];
  });
  const first = parts.findIndex(([number]) => number);
  const shown = first < 0 ? [] : parts.slice(first, first + unitCount).filter(([number]) => number);
  return shown.map(([number, unit]) => `${number} ${unit}`).join(" ") || "0 s";
};

/** Labels of an axis whose ticks are `increment` apart: no more digits than tell them apart. */
export const tickLabels = (ticks, increment) => {
  const greatest = Math.max(...ticks.filter((tick) => tick !== null).map(Math.abs), 0);
  const [divisor, suffix] = SI.find(([size]) => greatest >= size * 10 || increment >= size) ?? [1, ""];
  const digits = decimals(increment / divisor);
  return ticks.map((tick) => {
    if (tick === null) return "";
    if (tick === 0) return "0";
    if (greatest < 1e-3) return trimmed(tick.toExponential(2)).replace("e+", "e");
    return (tick / divisor).toFixed(digits) + suffix;
  });
};

/** Digits behind the point that write the increment exactly: 2.5 → 1, 0.05 → 2. */
const decimals = (increment) => {
  const isWhole = (digits) => Math.abs(increment * 10 ** digits - Math.round(increment * 10 ** digits)) < 1e-6;
  return [0, 1, 2, 3, 4, 5].find(isWhole) ?? 6;
};

/** Labels of a logarithmic axis; `null` where uPlot leaves a tick unlabelled. */
export const logLabels = (ticks) => ticks.map((tick) => (tick === null ? "" : logLabel(tick)));

const logLabel = (tick) => {
  const size = Math.abs(tick);
  return size >= 1e4 || size < 1e-3 ? tick.toExponential(0).replace("e+", "e") : String(Number(tick.toPrecision(3)));
};

const WHOLE_NAME = 24;
const NAME_END = 12;

/** The parts of a name: a narrow place cuts the first one. */
export const endsOf = (name) => (name.length > WHOLE_NAME ? [name.slice(0, -NAME_END), name.slice(-NAME_END)] : [name]);
