// What a chart is to draw now: its points, seen as the URL asks for.

import { isLog as isLogOf } from "./chart-view.js";
import { makeLines, plotColumns, tracksOf } from "./chart-lines.js";
import { GROUP, shownGroups } from "./groups.js";
import { chosenRuns } from "./selection.js";
import { pointLimit } from "./series-query.js";
import { drawnSmoothing } from "./smooth-slider.js";
import { chartView } from "./url-state.js";
import { axisOf } from "./x-axis.js";
import { robustRange } from "./y-range.js";

/** {lines, tracks, columns, axis, isLog, range, yRange, outsideCount, hiddenCount} */
export const makePicture = (metric, data, hiddenCount) => {
  const view = chartView();
  const drawnX = data.drawn.whole?.way.x ?? view.x;
  const range = drawnX === view.x ? view.range : null; // until the points of another axis are here
  const layer = data.layer(range);
  const isLog = isLogOf(view, metric);
  const lines = layer ? linesOf(layer, shareOf(hiddenCount, data, range)) : [];
  const tracks = tracksOf(lines);
  const columns = plotColumns(tracks, isLog);
  const yRange = view.hidesOutliers ? robustRange(rawColumns(tracks, columns), range) : null;
  return { lines, tracks, columns, axis: axisOf(drawnX), isLog, range, yRange, outsideCount: yRange?.outsideCount ?? 0, hiddenCount };
};

/** What was logged: a smoothed line has no outliers of its own. */
const rawColumns = (tracks, columns) => columns.filter((_, i) => !i || tracks[i - 1].kind === "raw");

const linesOf = (layer, share) => {
  const smoothing = { weight: drawnSmoothing(), exact: layer.way.smooth, share };
  if (!layer.way.group) return makeLines(chosenRuns(), (key) => layer.runs.get(key), smoothing);
  return makeLines(groupsOf(layer), (key) => layer.runs.get(key.slice(GROUP.length)), smoothing);
};

/** The groups of the legend, with the number of their runs in this chart. */
const groupsOf = (layer) =>
  (shownGroups() ?? []).map((group) => ({ ...group, runCount: layer.runs.get(group.name)?.[0].runCount ?? 0 }));

/** How much of what was logged is drawn. */
const shareOf = (hiddenCount, data, range) => {
  if (range || !hiddenCount) return 1;
  const shown = [...data.drawn.whole.runs.values()].flat().reduce((sum, { xs }) => sum + xs.length, 0);
  return shown / (shown + hiddenCount);
};

/** Whether the server has more points than it sent for the panel, or the chart has thinned them itself. */
export const mayHoldMore = ({ thinned, points }, data) => {
  if (thinned !== undefined || chartView().group || data.isThinned()) return true;
  return pointLimit(chosenRuns().length) !== null && data.countHidden(points) > 0;
};
