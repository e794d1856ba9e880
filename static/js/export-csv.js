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

/** The drawn points: run, step, what stands on the x axis, value, smoothed value. */
export const pointRows = (lines, [from, to] = [-Infinity, Infinity]) => {
  const hasX = lines.some(({ series }) => series.x);
  const hasSmoothed = lines.some((line) => smoothedOf(line));
  const heads = ["run", "step", ...(hasX ? ["x"] : []), "value", ...(hasSmoothed ? ["smoothed"] : [])];
  const rows = lines.toReversed().flatMap((line) => {
    const { steps, values, x } = line.series;
    const smoothed = smoothedOf(line);
    const places = [...steps.keys()].filter((i) => within((x ?? steps)[i], from, to));
    return places.map((i) => [
      line.key ?? line.name,
      steps[i],
      ...(hasX ? [x?.[i]] : []),
      values[i],
      ...(hasSmoothed ? [smoothed?.[i]] : []),
    ]);
  });
  return [heads, ...rows];
};

const smoothedOf = (line) => line.smoothed ?? line.series.smoothed;

const within = (x, from, to) => x >= from && x <= to;

/** `train/loss` → `train-loss.csv` */
export const fileName = (title, ending) => {
  const safe = title.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80);
  return `${safe || "chart"}.${ending}`;
};
