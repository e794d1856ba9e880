// uPlot as our charts use it: thin lines, a faint grid, drag to zoom, one crosshair for the page.

import uPlot from "../vendor/uplot.js";
import { emit } from "./bus.js";
import { drawAxisName, makeAxes, rightRoom } from "./plot-axes.js";
import { cursorSize, makeBands, makeSeries } from "./plot-tracks.js";
import { drawRail } from "./rail.js";
import { attachTooltip, moveTooltip } from "./tooltip.js";
import { logRange, valueRange } from "./y-range.js";

const LEAST_DRAG = 4; // CSS pixels: less is a click

/**
 * Draw the picture in the host's box: in the plot there is, if it still fits, else in a new one.
 * `picture`: {lines, tracks, columns, axis, isLog, range, yRange}.
 */
export const drawPlot = (plot, host, picture) => {
  const { lines, tracks, columns, axis, isLog } = picture;
  const looks = JSON.stringify([
    isLog,
    axis,
    getComputedStyle(host).color,
    tracks.map(({ line: { key, color, dash, isOld }, kind }) => [key, color, dash, isOld, kind]),
  ]);
  if (plot?.looks === looks) {
    Object.assign(plot, { lines, tracks, picture });
    plot.setData(columns);
    return plot;
  }
  const bold = plot?.bold ?? null;
  plot?.destroy();
  host.box.replaceChildren();
  return Object.assign(createPlot(host, picture, looks), { bold });
};

const createPlot = (host, picture, looks) => {
  const { lines, tracks, columns } = picture;
  const { clientWidth: width, clientHeight: height } = host.box;
  const options = { width, height, ...frame(host, picture), series: [{}, ...makeSeries(tracks)], bands: makeBands(tracks) };
  options.hooks.init = [(plot) => Object.assign(plot, { looks, lines, tracks, picture })];
  const plot = new uPlot(options, columns, host.box);
  plot.over.addEventListener("dblclick", () => host.unzoom());
  return plot;
};

const frame = (host, { axis, isLog, tracks }) => ({
  legend: { show: false },
  ms: 1,
  padding: [8, rightRoom, 0, 0],
  focus: { alpha: 1 }, // highlightLine does it, on all charts of the page
  cursor: {
    drag: { x: true, y: false, setScale: false },
    focus: { prox: 16 },
    sync: { key: "charts", scales: ["x", null], setSeries: false, filters: { pub: isMove } },
    hover: { prox: 12 }, // a run that has ended gets no dot
    points: { size: (_, place) => cursorSize(tracks, place) },
    bind: { dblclick: () => null },
  },
  scales: {
    x: { time: axis.isTime, range: ({ picture }, min, max) => picture.range ?? xRange(min, max) },
    y: isLog ? { distr: 3, log: 10, range: yRangeOf(logRange) } : { range: yRangeOf(valueRange) },
  },
  axes: makeAxes(host, axis, isLog),
  hooks: {
    draw: [drawRail, (plot) => drawAxisName(plot, axis.name)],
    setSelect: [(plot) => zoomToSelection(plot, host)],
    setSeries: [(plot, place, { focus }) => focus !== undefined && emit("highlight", { run: plot.tracks[place - 1]?.line.key ?? null })],
    ready: [attachTooltip],
    setCursor: [moveTooltip],
  },
});

const isMove = (type) => type === "mousemove" || type === "mouseleave";

const xRange = (min, max) => (min === null ? [0, 1] : min === max ? [min - 0.5, max + 0.5] : [min, max]);

const yRangeOf = (range) => ({ picture: { yRange } }, min, max) => range(yRange?.min ?? min, yRange?.max ?? max);

const zoomToSelection = (plot, host) => {
  const { left, width } = plot.select;
  if (width < LEAST_DRAG) return;
  const range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (range[1] > range[0]) host.zoom(range);
};
