// Where a key moves the crosshair of a chart, and its zoom; no DOM.

const JUMP = 0.1; // of what is in view, with Shift
const FACTORS = { "+": 0.5, "=": 0.5, "-": 2 };

const within = (number, least, most) => Math.max(least, Math.min(most, number));

/**
 * The place the crosshair moves to, from `first` to `last`; undefined for other keys. `place`: where
 * it is, or null.
 */
export const placeAfterKey = ({ key, shiftKey }, place, [first, last]) => {
  const step = shiftKey ? Math.max(1, Math.round((last - first) * JUMP)) : 1;
  const ways = { ArrowLeft: (place ?? last + step) - step, ArrowRight: (place ?? first - step) + step, Home: first, End: last };
  return Object.hasOwn(ways, key) ? within(ways[key], first, last) : undefined;
};

/**
 * The range after a zoom around `x`, which stays where it is on the screen; null for everything,
 * undefined for other keys. `extent`: from the first point to the last.
 */
export const rangeAfterKey = ({ key }, [from, to], x, [least, most]) => {
  if (!Object.hasOwn(FACTORS, key)) return undefined;
  const width = (to - from) * FACTORS[key];
  if (width >= most - least) return null;
  const start = within(x - ((x - from) / (to - from)) * width, least, most - width);
  return [start, start + width];
};
