// News between the widgets of a page:
//   selection {runs}       the chosen runs, or their looks, have changed
//   stream-open {reload}   live points flow; with `reload` some may have been missed
//   points {byMetric}      new points, metric → [{run, step, value, time}]
//   status {run, status}   a run's status, as a stream begins and when it changes
//   deleted {run}          a run has been deleted
//   highlight {run}        the run under the pointer, or null
//   view                   the URL asks for another view of the charts
//   smoothing              the slider is moving

const bus = new EventTarget();

export const emit = (name, detail = {}) => bus.dispatchEvent(new CustomEvent(name, { detail }));

/** Returns the function that ends it. */
export const listen = (name, handler) => {
  const listener = (event) => handler(event.detail);
  bus.addEventListener(name, listener);
  return () => bus.removeEventListener(name, listener);
};
