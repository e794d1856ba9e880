// Points as CSV, and names of files; no DOM.

const FORMULA = /^[=+\-@\t\r]/;

/** Rows of texts and numbers, heads first. A text that a spreadsheet would run gets an apostrophe. */
export const csvText = (rows) => rows.map((row) => row.map(cell).join(",") + "\r\n").join("");

const cell = (value) => {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value); // JavaScript writes every figure a float has
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/**
 * The drawn points, the topmost line first: run, step, x where that is not the step, value, smoothed
 * value; for groups of runs their mean, lowest and highest.
 */
export const pointRows = (lines, [from, to] = [-Infinity, Infinity]) => {
  const columns = columnsOf(lines);
  const rows = lines.toReversed().flatMap((line) =>
    line.series.xs.flatMap((x, i) => (x >= from && x <= to ? [columns.map(({ read }) => read(line, i))] : [])),
  );
  return [columns.map(({ name }) => name), ...rows];
};

const column = (name, read) => ({ name, read });

const columnsOf = (lines) => {
  const isGrouped = lines.some(({ series }) => series.low);
  const hasX = lines.some(({ series: { xs, steps } }) => xs.some((x, i) => x !== steps[i]));
  const hasSmoothed = lines.some(({ smoothed }) => smoothed);
  return [
    isGrouped ? column("group", ({ name }) => name) : column("run", ({ key }) => key),
    isGrouped ? column("x", ({ series }, i) => series.xs[i]) : column("step", ({ series }, i) => series.steps[i]),
    ...(hasX && !isGrouped ? [column("x", ({ series }, i) => series.xs[i])] : []),
    column(isGrouped ? "mean" : "value", ({ series }, i) => series.values[i]),
    ...(isGrouped ? [column("min", ({ series }, i) => series.low?.[i]), column("max", ({ series }, i) => series.high?.[i])] : []),
    ...(hasSmoothed ? [column("smoothed", ({ smoothed }, i) => smoothed?.[i])] : []),
  ];
};

/** `train/loss` → `train-loss.csv` */
export const fileName = (title, ending) => {
  const safe = title.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80);
  return `${safe || "chart"}.${ending}`;
};
