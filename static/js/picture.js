// What a chart is to draw now: its points, seen as the URL asks for.

import { isLog as isLogOf } from "./chart-view.js";
import { makeLines, plotColumns, tracksOf } from "./chart-lines.js";
import { GROUP, shownGroups } from "./groups.js";
import { chosenRuns } from "./selection.js";
import { drawnSmoothing } from "./smooth-slider.js";
import { chartView } from "./url-state.js";
import { axisOf } from "./x-axis.js";
import { robustRange } from "./y-range.js";

/** {lines, tracks, columns, axis, isLog, range, yRange, outsideCount, hiddenCount} */
export const makePicture = (metric, data) => {
  const view = chartView();
  const drawnX = data.drawn.whole?.way.x ?? view.x;
  const range = drawnX === view.x ? view.range : null; // until the points of another axis are here
  const layer = data.layer(range);
  const isLog = isLogOf(view, metric);
  const lines = layer ? linesOf(layer) : [];
  const tracks = tracksOf(lines);
  const columns = plotColumns(tracks, isLog);
  const yRange = view.hidesOutliers ? robustRange(rawColumns(tracks, columns), range) : null;
  return { lines, tracks, columns, axis: axisOf(drawnX), isLog, range, yRange, outsideCount: yRange?.outsideCount ?? 0, hiddenCount: data.countHidden(range) };
};

/** What was logged: a smoothed line has no outliers of its own. */
const rawColumns = (tracks, columns) => columns.filter((_, i) => !i || tracks[i - 1].kind === "raw");

const linesOf = (layer) => {
  const share = layer.count / (layer.count + layer.hiddenCount); // how much of what was logged is drawn
  const smoothing = { weight: drawnSmoothing(), exact: layer.way.smooth, share };
  if (!layer.way.group) return makeLines(chosenRuns(), (key) => layer.runs.get(key), smoothing);
  return makeLines(groupsOf(layer), (key) => layer.runs.get(key.slice(GROUP.length)), smoothing);
};

/** The groups of the legend, with the number of their runs in this chart. */
const groupsOf = (layer) =>
  (shownGroups() ?? []).map((group) => ({ ...group, runCount: layer.runs.get(group.name)?.[0].runCount ?? 0 }));
