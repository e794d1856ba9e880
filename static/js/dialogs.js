// Dialogs: what HTMX puts into one opens it; `data-close` and a click beside it close it.

const isBeside = (dialog, { clientX, clientY }) => {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
};

const click = (event) => {
  const dialog = event.target.closest("dialog[open]");
  if (!dialog) return;
  const isOutside = event.target === dialog && event.detail > 0 && isBeside(dialog, event);
  if (!isOutside && !event.target.closest("[data-close]")) return;
  event.preventDefault(); // without JavaScript `data-close` is a link back
  dialog.close();
};

export const startDialogs = () => {
  document.addEventListener("click", click);
  document.addEventListener("htmx:load", ({ target }) => {
    const dialog = target.closest?.("dialog:not([open])");
    if (!dialog) return;
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  });
};
