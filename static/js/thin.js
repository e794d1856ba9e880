// Fewer points that draw the same picture; no DOM. Twin of tracking/domain/downsample.py.

import { mapColumns } from "./series.js";

/**
 * About `limit` points that draw the same picture: each stretch keeps its lowest and its highest
 * value and everything that is not finite.
 */
export const thin = (series, limit) => {
  const total = series.xs.length;
  if (total <= limit) return series;
  const size = Math.ceil((2 * total) / limit);
  const keep = new Set([0, total - 1]);
  for (let start = 0; start < total; start += size) {
    keepExtremes(series.values, start, Math.min(start + size, total), keep);
  }
  const places = [...keep].sort((a, b) => a - b);
  return { ...mapColumns(series, (column) => places.map((place) => column[place])), isThinned: true };
};

const keepExtremes = (values, start, end, keep) => {
  let low = -1;
  let high = -1;
  for (let i = start; i < end; i += 1) {
    if (!Number.isFinite(values[i])) keep.add(i);
    else {
      if (low < 0 || values[i] < values[low]) low = i;
      if (high < 0 || values[i] > values[high]) high = i;
    }
  }
  if (low >= 0) keep.add(low).add(high);
};
