// Editing in place: keys of the form, and its answer when the server does not save it.

const REFUSED = [400, 409]; // the form comes back with the reason in it

const formOf = (target) => target.closest?.("form[data-edit]");

/** A longer text that somebody has begun to change; a line is soon typed again. */
const isBegun = (form) => [...form.querySelectorAll("textarea")].some(({ value, defaultValue }) => value !== defaultValue);

const cancel = (form) => {
  if (isBegun(form) && !window.confirm("Discard what you have changed?")) return;
  form.querySelector("[data-cancel]").click();
};

const keepBegun = (event) => {
  if ([...document.querySelectorAll("form[data-edit]")].some(isBegun)) event.preventDefault();
};

const pressKey = (event) => {
  const form = formOf(event.target);
  if (!form) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    cancel(form);
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
};

/** HTMX leaves the page as it is when a request is refused; a form is to say why. */
const showRefusal = (event) => {
  const { detail } = event;
  if (!formOf(detail.elt) || !REFUSED.includes(detail.xhr.status)) return;
  detail.shouldSwap = true;
  detail.isError = false;
};

const focusField = ({ target }) => {
  const field = target.matches?.("form[data-edit]") && target.querySelector("[autofocus]");
  if (!field) return;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
};

/** Back to where the edit began, so that the keyboard goes on from there. */
const focusLink = ({ target }) => {
  if (document.activeElement === document.body) target.querySelector?.(".edit-link")?.focus();
};

export const startEditing = () => {
  document.addEventListener("keydown", pressKey, true);
  window.addEventListener("beforeunload", keepBegun);
  document.addEventListener("htmx:beforeSwap", showRefusal);
  document.addEventListener("htmx:load", (event) => {
    focusField(event);
    if (event.target.matches?.(".editable:not(form)")) focusLink(event);
  });
};
