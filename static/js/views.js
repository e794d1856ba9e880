// A view is saved as the URL stands: parts of it only the browser knows.

export const startViews = () => {
  document.addEventListener("submit", ({ target }) => {
    if (target.matches("[data-save-view]")) target.elements.query.value = location.search.slice(1);
  });
};
