// What a person says of an answer: a thumb at once, and then as much more as they like.

import { el } from "./dom.js";

// Names of the protocol and how a person says them; `bad` where the words differ under a thumb that points down.
const REASONS = {
  accuracy: ["Correct", "Wrong"],
  completeness: ["Complete", "Incomplete"],
  relevance: ["To the point", "Beside the point"],
  sources: ["Good sources", "Wrong sources"],
  style: ["Well said", "Badly said"],
  speed: ["Fast", "Slow"],
  safety: ["Careful", "Unsafe"],
};
const UP = "M7 11v9H4v-9zm3 9h7.5a2 2 0 0 0 2-1.6l1.2-6A2 2 0 0 0 18.8 10H14V5.5A1.5 1.5 0 0 0 11.2 4.8L8.5 11V19a1 1 0 0 0 1.5 1z";
const DOWN = "M17 13V4h3v9zm-3-9H6.5a2 2 0 0 0-2 1.6l-1.2 6A2 2 0 0 0 5.2 14H10v4.5a1.5 1.5 0 0 0 2.8.7l2.7-6.2V5a1 1 0 0 0-1.5-1z";
const STAR = "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.8L12 16.8l-5.2 2.8 1-5.8-4.3-4.1 5.9-.8z";

function shape(outline) {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", outline);
  icon.append(path);
  return icon;
}

// `rate(turn, said)` sends it, or keeps it for when there is a connection, and tells which: true if it was sent.
export function feedbackForm(turn, rate) {
  const before = turn.feedback ?? {};
  const said = el("p", { class: "hint", role: "status" });
  const reasons = Object.keys(REASONS).map((name) => reason(name, before.reasons ?? []));
  const stars = [1, 2, 3, 4, 5].map((count) => star(count, before.scale === "stars" && before.rating === count));
  const comment = area("comment", "What was good or wrong? (optional)", 4000, before.comment);
  const correction = area("correction", "How it should have been answered (optional)", 32000, before.correction);
  const consent = el("input", { type: "checkbox", id: `consent-${turn.id}`, checked: before.consent_to_train });
  const form = el(
    "form",
    { class: "more", hidden: true },
    el("fieldset", { class: "stars" }, el("legend", {}, "Stars (optional)"), ...stars.map(({ label }) => label)),
    el("fieldset", { class: "reasons" }, el("legend", { class: "hidden" }, "What it is about"), ...reasons.map(({ label }) => label)),
    el("label", { class: "hidden", for: comment.id }, "Comment on this answer"),
    comment,
    el("label", { class: "hidden", for: correction.id }, "A better answer"),
    correction,
    el("label", { class: "consent" }, consent, "This question and answer may be used to train models"),
    el("button", { type: "submit", class: "quiet" }, "Send feedback"),
  );
  // Stars say more than the thumb and take its place; four and five of them are a thumb that points up.
  let pointed = before.scale === "stars" ? (before.rating > 3 ? 1 : -1) : before.rating;
  const thumbs = [thumb("Good answer", UP, 1), thumb("Bad answer", DOWN, -1)];

  function area(name, placeholder, maxlength, value) {
    const box = el("textarea", { rows: 2, maxlength, id: `${name}-${turn.id}`, placeholder });
    box.value = value ?? "";
    return box;
  }

  function star(count, checked) {
    const box = el("input", { type: "radio", name: `stars-${turn.id}`, value: count, checked });
    const words = el("span", { class: "hidden" }, count === 1 ? "1 star" : `${count} stars`);
    return { box, label: el("label", {}, box, words, shape(STAR)) };
  }

  function reason(name, chosen) {
    const box = el("input", { type: "checkbox", value: name, checked: chosen.includes(name) });
    const words = el("span");
    return { box, words, label: el("label", {}, box, words) };
  }

  function thumb(label, outline, rating) {
    const button = el("button", { type: "button", class: "thumb", "aria-label": label, title: label, "aria-pressed": String(pointed === rating) }, shape(outline));
    button.addEventListener("click", () => {
      for (const other of thumbs) other.setAttribute("aria-pressed", String(other === button));
      for (const { box, words } of reasons) words.textContent = REASONS[box.value][rating > 0 ? 0 : 1];
      for (const { box } of stars) box.checked = false;
      form.hidden = false;
      pointed = rating;
      send();
    });
    return button;
  }

  function send() {
    const chosen = stars.find(({ box }) => box.checked);
    const isSent = rate(turn, {
      ...(chosen ? { rating: Number(chosen.box.value), scale: "stars" } : { rating: pointed, scale: "thumbs" }),
      reasons: reasons.filter(({ box }) => box.checked).map(({ box }) => box.value),
      comment: comment.value.trim(),
      correction: correction.value.trim(),
      consent_to_train: consent.checked,
    });
    said.textContent = isSent ? "Thank you." : "Noted: it is sent when the connection is back.";
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
    form.hidden = true;
  });
  return el("div", { class: "feedback", role: "group", "aria-label": "Rate this answer" }, ...thumbs, said, form);
}
