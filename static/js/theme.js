// A classic script in <head>: it must know the theme before the first pixel is drawn.
(() => {
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const choices = ["auto", "light", "dark"];

  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage may be forbidden; the theme then follows the system
    }
  };

  const apply = (choice) => {
    root.dataset.themeChoice = choices.includes(choice) ? choice : "auto";
    const auto = prefersDark.matches ? "dark" : "light";
    root.dataset.theme = root.dataset.themeChoice === "auto" ? auto : choice;
    document.dispatchEvent(new CustomEvent("theme-change"));
  };

  apply(stored());
  root.classList.add("js");
  prefersDark.addEventListener("change", () => apply(root.dataset.themeChoice));

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = choices[(choices.indexOf(root.dataset.themeChoice) + 1) % choices.length];
    try {
      localStorage.setItem("theme", next);
    } catch {
      // it holds for this page only
    }
    apply(next);
  });
})();
