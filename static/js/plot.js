// uPlot as our charts use it: thin lines, a faint grid, drag to zoom, one crosshair for the page.

import uPlot from "../vendor/uplot.js";
import { emit } from "./bus.js";
import { plotColumns } from "./chart-lines.js";
import { logLabels, tickLabels } from "./format.js";
import { drawRail } from "./rail.js";
import { lonelySteps, lowerBound } from "./series.js";
import { attachTooltip, moveTooltip } from "./tooltip.js";

const LINE_WIDTH = 1.5;
const BOLD_WIDTH = 2.5;
const FAINT = 0.28; // a raw line below its smoothed one
const PALE = 0.25; // the others, while one run is bold
const WHOLE_STEPS = [1, 2, 5].flatMap((digit) => [...Array(16)].map((_, i) => digit * 10 ** i)).sort((a, b) => a - b);

/** Draw the lines in the host's box: in the plot there is, if it still fits, else in a new one. */
export const drawPlot = (plot, host, lines) => {
  const looks = JSON.stringify([
    host.isLog,
    getComputedStyle(host).color,
    lines.map(({ key, color, dash, smoothed }) => [key, color, dash, Boolean(smoothed)]),
  ]);
  const columns = plotColumns(lines, host.isLog);
  if (plot?.looks === looks) {
    plot.lines = lines;
    plot.setData(columns);
    return plot;
  }
  plot?.destroy();
  host.box.replaceChildren();
  return createPlot(host, lines, columns, looks);
};

const createPlot = (host, lines, columns, looks) => {
  const { clientWidth: width, clientHeight: height } = host.box;
  const options = { width, height, ...frame(host, lines), series: [{}, ...makeSeries(lines)] };
  options.hooks.init = [(plot) => Object.assign(plot, { looks, lines })];
  const plot = new uPlot(options, columns, host.box);
  plot.over.addEventListener("dblclick", () => host.unzoom());
  return plot;
};

const makeSeries = (lines) => {
  const smoothed = lines.filter((line) => line.smoothed);
  const raw = lines.map((line) => makeLine(line, line.smoothed ? FAINT : 1));
  return [...raw, ...smoothed.map((line) => makeLine(line, 1))];
};

const makeLine = ({ color, dash }, alpha) => ({
  stroke: color,
  width: LINE_WIDTH,
  dash,
  alpha,
  spanGaps: false,
  points: { show: true, filter: lonelyPlaces, size: 5, fill: color },
});

/** Only a value without neighbours needs a dot: no line leads to it. */
const lonelyPlaces = (plot, place, isShown) => {
  if (!isShown) return null;
  return lonelySteps(lineAt(plot.lines, place).series).map((step) => lowerBound(plot.data[0], step));
};

const frame = (host, lines) => {
  const style = getComputedStyle(host);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--text-muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: color("--chart-grid"), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  return {
    legend: { show: false },
    padding: [8, 8, 0, 0],
    focus: { alpha: 1 }, // highlightLine does it, on all charts of the page
    cursor: {
      drag: { x: true, y: false, setScale: false },
      focus: { prox: 16 },
      sync: { key: "steps", scales: ["x", null], setSeries: false, filters: { pub: isMove } },
      hover: { prox: 12 }, // a run that has ended gets no dot
      points: { size: (_, place) => (isFaint(lines, place) ? 0 : 6) },
      bind: { dblclick: () => null },
    },
    scales: {
      x: { time: false, range: (_, min, max) => host.data.range ?? stepRange(min, max) },
      y: host.isLog ? { distr: 3, log: 10 } : { range: (_, min, max) => valueRange(min, max) },
    },
    axes: [
      { ...axis, size: 24, incrs: WHOLE_STEPS, values: plainLabels },
      { ...axis, size: labelRoom, values: host.isLog ? (_, ticks) => logLabels(ticks) : plainLabels },
    ],
    hooks: {
      draw: [drawRail],
      setSelect: [(plot) => zoomToSelection(plot, host)],
      setSeries: [(plot, place, { focus }) => focus !== undefined && emit("highlight", { run: lineAt(plot.lines, place)?.key ?? null })],
      ready: [attachTooltip],
      setCursor: [moveTooltip],
    },
  };
};

const plainLabels = (_, ticks, axis, room, increment) => tickLabels(ticks, increment);

const labelRoom = (_, labels) => Math.max(40, 14 + 6.5 * Math.max(0, ...(labels ?? []).map(({ length }) => length)));

const isMove = (type) => type === "mousemove" || type === "mouseleave";

const stepRange = (min, max) => (min === null ? [0, 1] : min === max ? [min - 0.5, max + 0.5] : [min, max]);

const valueRange = (min, max) => {
  if (min === null) return [0, 1];
  const room = (max - min) * 0.06 || Math.abs(max) * 0.1 || 1;
  return [min - room, max + room];
};

/** The line of a uPlot series; raw and smoothed series follow each other in the same order. */
const lineAt = (lines, place) => (place ? lines[(place - 1) % lines.length] : undefined);

const isFaint = (lines, place) => place <= lines.length && Boolean(lineAt(lines, place).smoothed);

const zoomToSelection = (plot, host) => {
  const { left, width } = plot.select;
  if (width < 4) return;
  const range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (range[1] > range[0]) host.zoom(range);
};

/** Make the run's line bold and the others pale; null makes all of them plain. */
export const highlightLine = (plot, run) => {
  if (!plot || plot.bold === run) return;
  plot.bold = run;
  plot.series.slice(1).forEach((series, i) => {
    const isRun = lineAt(plot.lines, i + 1).key === run;
    series.width = isRun ? BOLD_WIDTH : LINE_WIDTH;
    series.alpha = (isFaint(plot.lines, i + 1) ? FAINT : 1) * (isRun || run === null ? 1 : PALE);
  });
  plot.redraw(false);
};
