// Exponential smoothing; no DOM. Twin of tracking/domain/smoothing.py, which smooths every logged
// point: here a chart's points are smoothed until its answer is there, and live ones carry on.

/**
 * About the smoothed values. `weight` 0…1 is what remains of the past after `spacing`, so that a
 * series with fewer points is smoothed as its whole would be. NaN and infinities stay where they
 * are and leave no trace in what follows.
 */
export const smooth = ({ xs, values }, weight, spacing) => {
  let sum = 0;
  let mass = 0;
  let before = null;
  return values.map((value, i) => {
    if (!Number.isFinite(value)) return value;
    const rest = before === null ? 0 : weight ** Math.max(1, (xs[i] - before) / spacing);
    sum = sum * rest + (1 - weight) * value;
    mass = mass * rest + (1 - weight);
    before = xs[i];
    return mass > 0 ? sum / mass : value;
  });
};

/** How far apart the logged points were, of which `share` (0…1] are in the series. */
export const spacing = ({ xs }, share = 1) => {
  const span = xs[xs.length - 1] - xs[0];
  return span > 0 ? (span / (xs.length - 1)) * share : 1;
};

/** The smoothed value of a point that follows the series, whose average is exact. */
export const nextAverage = (series, weight, value) => {
  if (!Number.isFinite(value)) return value;
  series.averaged ??= series.smoothed.filter(Number.isFinite).length;
  const before = series.smoothed.findLast(Number.isFinite) ?? 0;
  const mass = 1 - weight ** series.averaged;
  series.averaged += 1;
  return (before * mass * weight + value * (1 - weight)) / (mass * weight + 1 - weight);
};
