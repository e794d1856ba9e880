// The part of the view that only the browser knows lives in the URL too: smoothing and log axes.

const params = () => new URLSearchParams(location.search);

const write = (query) => {
  const text = query.toString();
  history.replaceState(history.state, "", text ? `?${text}` : location.pathname);
};

export const hasParam = (name, value) => params().getAll(name).includes(value);

/** Returns whether it is there now. */
export const toggleParam = (name, value) => {
  const query = params();
  const others = query.getAll(name).filter((one) => one !== value);
  const isThere = others.length === query.getAll(name).length;
  query.delete(name);
  [...others, ...(isThere ? [value] : [])].forEach((one) => query.append(name, one));
  write(query);
  return isThere;
};

export const smoothingWeight = () => {
  const weight = Number(params().get("smooth"));
  return weight > 0 && weight < 1 ? weight : 0;
};

export const setSmoothing = (weight) => {
  const query = params();
  if (weight) query.set("smooth", weight);
  else query.delete("smooth");
  write(query);
};

/** What a form's request must carry along so that the pushed URL keeps it. */
export const browserParams = () => [...params()].filter(([name]) => name === "log" || name === "smooth");
