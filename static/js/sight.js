// Which charts somebody can see, and how large they are.

const visibility = new IntersectionObserver(
  (entries) => entries.forEach((entry) => entry.target.setVisible(entry.isIntersecting)),
  { rootMargin: "200px" }, // a chart begins to load a little before it comes into view
);

const sizes = new ResizeObserver((entries) =>
  entries.forEach(({ target }) => target.closest("metric-chart")?.fit()),
);

export const watch = (chart) => {
  visibility.observe(chart);
  sizes.observe(chart.box);
};

export const unwatch = (chart) => {
  visibility.unobserve(chart);
  sizes.unobserve(chart.box);
};
