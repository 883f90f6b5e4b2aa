// Thumbs and a comment under an answer.

import { el } from "./dom.js";

export function feedbackForm(turn, rate) {
  const said = el("p", { class: "hint", role: "status" });
  const comment = el("textarea", { rows: 2, maxlength: 10000, id: `comment-${turn.id}`, placeholder: "What was good or wrong? (optional)" });
  const form = el(
    "form",
    { class: "comment", hidden: true },
    el("label", { class: "hidden", for: comment.id }, "Comment on this answer"),
    comment,
    el("button", { type: "submit", class: "quiet" }, "Send comment"),
  );
  const thumbs = [thumb("Good answer", "M7 11v9H4v-9zm3 9h7.5a2 2 0 0 0 2-1.6l1.2-6A2 2 0 0 0 18.8 10H14V5.5A1.5 1.5 0 0 0 11.2 4.8L8.5 11V19a1 1 0 0 0 1.5 1z", 1), thumb("Bad answer", "M17 13V4h3v9zm-3-9H6.5a2 2 0 0 0-2 1.6l-1.2 6A2 2 0 0 0 5.2 14H10v4.5a1.5 1.5 0 0 0 2.8.7l2.7-6.2V5a1 1 0 0 0-1.5-1z", -1)];

  function thumb(label, path, rating) {
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", path);
    icon.append(shape);
    const button = el("button", { type: "button", class: "thumb", "aria-label": label, title: label, "aria-pressed": String(turn.rating === rating) }, icon);
    button.addEventListener("click", () => {
      for (const other of thumbs) other.setAttribute("aria-pressed", String(other === button));
      form.hidden = false;
      send(rating);
    });
    return button;
  }

  function send(rating) {
    const isSent = rate(turn, { rating, comment: comment.value.trim() });
    said.textContent = isSent ? "Thank you." : "Noted: it is sent when the connection is back.";
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(turn.rating);
    form.hidden = true;
  });
  return el("div", { class: "feedback", role: "group", "aria-label": "Rate this answer" }, ...thumbs, said, form);
}
