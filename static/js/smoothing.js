// Exponential smoothing over the step; no DOM.

/**
 * The smoothed values. `weight` 0…1 is what remains of the past after `spacing` steps, so that a
 * series with fewer points is smoothed as its whole would be. NaN and infinities stay where they
 * are and leave no trace in what follows.
 */
export const smooth = ({ steps, values }, weight, spacing) => {
  let sum = 0;
  let mass = 0;
  let before = null;
  return values.map((value, i) => {
    if (!Number.isFinite(value)) return value;
    const rest = before === null ? 0 : weight ** Math.max(1, (steps[i] - before) / spacing);
    sum = sum * rest + (1 - weight) * value;
    mass = mass * rest + (1 - weight);
    before = steps[i];
    return mass > 0 ? sum / mass : value;
  });
};

/** How far apart the logged points were, of which `share` (0…1] are in the series. */
export const spacing = ({ steps }, share = 1) =>
  steps.length < 2 ? 1 : ((steps[steps.length - 1] - steps[0]) / (steps.length - 1)) * share;
