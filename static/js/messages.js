// The lines at the foot of the page: what was done, and what was refused and why.

const SHOWN_MS = 8000;

/** Not under the reader's hands: a line that is pointed at, or whose button has the focus, waits. */
const dismissSoon = (line) =>
  setTimeout(() => (line.matches(":hover, :focus-within") ? dismissSoon(line) : line.remove()), SHOWN_MS);

/** Show a line of text to the reader. `level`: "info" or "error". */
export const say = (text, level = "info") => {
  const line = document.createElement("p");
  line.className = `message message-${level}`;
  line.append(text, document.querySelector("#dismiss-button").content.cloneNode(true));
  document.querySelector("#messages").append(line);
  dismissSoon(line);
};

/** The text of a refused request: its problem line, or what the status says. */
const reasonOf = ({ status, responseText }) => {
  const answer = new DOMParser().parseFromString(responseText, "text/html");
  return answer.querySelector(".problem, main p")?.textContent ?? `The server answered ${status}.`;
};

/** What asks again by itself will; a choice that was not taken goes back to what holds. */
const refuse = (element, text) => {
  if (element.matches("[data-renew]")) return;
  say(text, "error");
  element.closest("form[data-undo]")?.reset();
};

export const startMessages = () => {
  document.querySelectorAll("#messages .message").forEach(dismissSoon);
  document.addEventListener("click", ({ target }) => target.closest("[data-dismiss]")?.closest(".message").remove());
  document.addEventListener("htmx:responseError", ({ detail }) => refuse(detail.elt, reasonOf(detail.xhr)));
  document.addEventListener("htmx:sendError", ({ detail }) => refuse(detail.elt, "The server cannot be reached."));
};
