// How the lines of a plot look: uPlot's series for the tracks, and the bold line under the pointer.

import { lonelyPlaces } from "./series.js";

const LINE_WIDTH = 1.5;
const BOLD_WIDTH = 2.5; // of the run under the pointer, and of the one that others are measured against
const FAINT = 0.28; // a raw line below its smoothed one
const OLD = 0.6; // what a restart has replaced: the run's colour, paler
const PALE = 0.25; // the others, while one run is bold
export const BAND_ALPHA = 0.2; // between the lowest and the highest run of a group

export const makeSeries = (tracks) => tracks.map((track) => ({ ...LOOKS[track.kind](track), alpha: alphaOf(track) }));

const edge = () => ({ stroke: "transparent", width: 0, points: { show: false } });

const widthOf = ({ line: { isBaseline } }) => (isBaseline ? BOLD_WIDTH : LINE_WIDTH);

const line = (track) => ({
  stroke: track.line.color,
  width: widthOf(track),
  dash: track.line.dash,
  spanGaps: false,
  // Only a value without neighbours needs a dot: no line leads to it.
  points: { show: true, filter: (plot, place, isShown) => (isShown ? lonelyPlaces(plot.data[place]) : null), size: 5, fill: track.line.color },
});

const LOOKS = { low: edge, high: edge, raw: line, smoothed: line };

const alphaOf = ({ line: { smoothed, isOld }, kind }) => (kind === "raw" && smoothed ? FAINT : 1) * (isOld ? OLD : 1);

/** uPlot's bands: the space between the `low` and the `high` track of a line. */
export const makeBands = (tracks) =>
  tracks.flatMap(({ line: { color }, kind }, i) => (kind === "low" ? [{ series: [i + 2, i + 1], fill: translucent(color), dir: -1 }] : []));

const translucent = (color) => `color-mix(in srgb, ${color} ${BAND_ALPHA * 100}%, transparent)`;

/** No dot of the crosshair on faint lines and edges. */
export const cursorSize = (tracks, place) => (tracks[place - 1] && isRead(tracks[place - 1]) ? 6 : 0);

const isRead = ({ line: { smoothed }, kind }) => kind === (smoothed ? "smoothed" : "raw");

const isCurve = ({ kind }) => kind === "raw" || kind === "smoothed";

/** Make the run's line bold and the others pale; null makes all of them plain. */
export const highlightLine = (plot, run) => {
  if (!plot || plot.bold === run) return;
  plot.bold = run;
  const isHere = plot.tracks.some(({ line: { key } }) => key === run);
  plot.series.slice(1).forEach((series, i) => {
    const track = plot.tracks[i];
    const isRun = track.line.key === run;
    if (isCurve(track)) series.width = isRun ? BOLD_WIDTH : widthOf(track);
    series.alpha = alphaOf(track) * (isRun || !isHere ? 1 : PALE);
  });
  plot.redraw(false);
};
