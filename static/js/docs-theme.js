// A classic script in <head>, after theme.js: Swagger UI calls its dark theme by a class.
(() => {
  const root = document.documentElement;
  const follow = () => root.classList.toggle("dark-mode", root.dataset.theme === "dark");
  document.addEventListener("theme-change", follow);
  follow();
})();
