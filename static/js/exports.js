// PNG, SVG and CSV of a chart: buttons with `data-export` inside a chart, or inside any element with
// `data-figure` that has picture() and rows().

import { csvText, fileName, pointRows } from "./export-csv.js";
import { chartPicture } from "./export-picture.js";
import { toPng } from "./export-png.js";
import { plotParts } from "./export-plot.js";
import { toSvg } from "./export-svg.js";
import { say } from "./messages.js";

const FORGET_MS = 60_000; // by then the browser has taken the file

/** The colours of the theme as they are now. */
export const paletteOf = (element) => {
  const style = getComputedStyle(element);
  const color = (name) => style.getPropertyValue(name).trim();
  return {
    background: color("--bg"),
    text: color("--text"),
    muted: color("--text-muted"),
    grid: color("--chart-grid"),
    font: style.fontFamily,
  };
};

const FILES = {
  png: async (figure) => toPng(pictureOf(figure)),
  svg: async (figure) => new Blob([toSvg(pictureOf(figure))], { type: "image/svg+xml" }),
  csv: async (figure) => new Blob([csvText(rowsOf(figure))], { type: "text/csv" }),
};

const pictureOf = (figure) => {
  if (figure.picture) return figure.picture(paletteOf(figure));
  const parts = plotParts(figure.plot, figure.plot.lines, devicePixelRatio);
  return chartPicture({ title: figure.metric, palette: paletteOf(figure), ...parts });
};

const rowsOf = (figure) => {
  if (figure.rows) return figure.rows();
  const { min, max } = figure.plot.scales.x;
  return pointRows(figure.plot.lines, [min, max]);
};

const save = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), FORGET_MS);
};

const press = async ({ target }) => {
  const ending = target.closest("[data-export]")?.dataset.export;
  const figure = target.closest("metric-chart, [data-figure]");
  if (!figure || !Object.hasOwn(FILES, ending ?? "")) return;
  if (!figure.plot && !figure.picture) {
    say("There is nothing to save yet.", "error");
    return;
  }
  try {
    save(await FILES[ending](figure), fileName(figure.metric ?? figure.dataset.figure, ending));
  } catch (error) {
    say(error.message, "error");
  }
};

export const startExports = () => document.addEventListener("click", press);
