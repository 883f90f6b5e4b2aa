// One question and its answer on the page.

import { DONE, FAILED, RUNNING, SENDING } from "./conversation.js";
import { duration, el, safeUrl } from "./dom.js";
import { feedbackForm } from "./feedback.js";
import { render } from "./markdown.js";
import { waterfall } from "./waterfall.js";

const ENDINGS = {
  REFUSED: "A policy refused this.",
  CANCELLED: "Stopped.",
  EXPIRED: "Nobody could answer this in time.",
};

export class AnswerView {
  // `actions`: rate(turn, rating), askAgain(turn).
  constructor(turn, actions) {
    this.turn = turn;
    this.actions = actions;
    this.pending = false;
    this.text = el("div", { class: "text", "aria-live": "polite", "aria-busy": "true" });
    this.problem = el("div", { class: "problem", role: "alert" });
    this.notices = el("div", { class: "notices", role: "status" });
    this.sources = el("div", { class: "sources" });
    this.end = el("div", { class: "end" });
    this.element = el(
      "li",
      { class: "turn", id: `turn-${turn.id}`, "data-turn": turn.id },
      el("div", { class: "question" }, el("h2", { class: "hidden" }, "You asked"), el("p", {}, turn.question)),
      el("article", { class: "answer" }, el("h3", { class: "hidden" }, "Answer"), this.notices, this.text, this.problem, this.sources, this.end),
    );
    this.draw();
  }

  // Many pieces may come between two frames of the screen: they are drawn once.
  update() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    const { turn } = this;
    const state = turn.state;
    this.element.dataset.state = state;
    const isOpen = state === SENDING || state === RUNNING;
    // Screen readers are told the whole when it is there, not each piece.
    this.text.setAttribute("aria-busy", String(isOpen));
    this.drawText(isOpen);
    this.drawNotices();
    if (!isOpen) this.drawSources();
    this.drawProblem();
    if (this.ended !== state) this.drawEnd(state);
    this.ended = state;
  }

  drawText(isOpen) {
    const { turn } = this;
    if (turn.text) {
      this.text.replaceChildren(render(turn.text, (marker) => this.cite(marker)));
    } else if (isOpen) {
      const waiting = turn.state === SENDING ? "Sending…" : "Thinking…";
      this.text.replaceChildren(el("p", { class: "waiting" }, waiting));
    } else {
      this.text.replaceChildren();
    }
  }

  cite(marker) {
    const number = this.turn.citations.findIndex((citation) => citation.marker === marker);
    if (number < 0) return null;
    const { title } = this.turn.citations[number];
    const label = marker.replace(/^\[|\]$/g, "");
    const follow = (event) => {
      event.preventDefault();
      const source = document.getElementById(this.sourceId(number));
      source.querySelector("details")?.setAttribute("open", "");
      source.scrollIntoView({ block: "nearest" });
      source.focus();
    };
    return el("a", { class: "citation", href: `#${this.sourceId(number)}`, "aria-label": `${label}, source: ${title || marker}`, onclick: follow }, label);
  }

  sourceId(number) {
    return `source-${this.turn.id}-${number}`;
  }

  drawNotices() {
    if (this.notices.childElementCount === this.turn.notices.length) return;
    this.notices.replaceChildren(
      ...this.turn.notices.map((notice) => el("p", { class: "notice", "data-code": notice.code }, notice.text || notice.code)),
    );
  }

  drawSources() {
    const { citations } = this.turn;
    if (!citations.length || this.sources.childElementCount) return;
    const title = el("h4", { id: `sources-${this.turn.id}` }, "Sources");
    const items = citations.map((citation, number) => {
      const href = citation.uri ? safeUrl(citation.uri) : null;
      const name = citation.title || citation.document_id;
      const heading = [...(citation.heading_path ?? [])].join(" › ");
      return el(
        "li",
        { id: this.sourceId(number), tabindex: -1 },
        el("span", { class: "marker", "aria-hidden": "true" }, citation.marker.replace(/^\[|\]$/g, "")),
        el(
          "div",
          {},
          href ? el("a", { href, target: "_blank", rel: "noopener noreferrer" }, name) : el("span", { class: "name" }, name),
          heading ? el("span", { class: "where" }, heading) : null,
          citation.text ? el("details", {}, el("summary", {}, "Passage"), el("blockquote", {}, citation.text)) : null,
        ),
      );
    });
    this.sources.replaceChildren(title, el("ol", { "aria-labelledby": title.id }, ...items));
  }

  drawProblem() {
    const { state, error, retrying } = this.turn;
    if (retrying) {
      this.problem.replaceChildren(el("p", {}, retrying));
    } else if (state === FAILED && error) {
      const where = error.field ? el("span", { class: "field" }, ` (${error.field})`) : null;
      this.problem.replaceChildren(el("p", {}, error.message, where));
    } else {
      this.problem.replaceChildren();
    }
  }

  drawEnd(state) {
    if (state === SENDING || state === RUNNING) {
      this.end.replaceChildren();
      return;
    }
    const ending = ENDINGS[this.turn.done?.status];
    const place = el("div", { class: "trace" });
    this.end.replaceChildren(
      ending ? el("p", { class: "ending" }, ending) : "",
      el("div", { class: "after" }, this.response(state), this.facts(), this.traceButton(place)),
      place,
    );
  }

  response(state) {
    if (state === DONE) return feedbackForm(this.turn, this.actions.rate);
    return el("button", { type: "button", class: "quiet", onclick: () => this.actions.askAgain(this.turn) }, "Ask again");
  }

  facts() {
    const { done } = this.turn;
    if (!done) return "";
    const said = [done.model];
    if (done.usage?.completion_tokens) said.push(`${done.usage.completion_tokens} tokens`);
    if (this.turn.tookMs) said.push(duration(this.turn.tookMs));
    if (done.cached) said.push("from the cache");
    if (done.finish_reason === "length") said.push("cut at the token limit");
    return el("p", { class: "facts" }, said.filter(Boolean).join(" · "));
  }

  traceButton(place) {
    const button = el("button", { type: "button", class: "quiet timing", "aria-expanded": "false" }, "Where the time went");
    button.addEventListener("click", async () => {
      const isOpen = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!isOpen));
      if (isOpen) {
        place.replaceChildren();
        return;
      }
      place.replaceChildren(el("p", { class: "hint", role: "status" }, "Reading the trace…"));
      try {
        const table = await waterfall(this.turn);
        if (button.getAttribute("aria-expanded") === "true") place.replaceChildren(table);
      } catch (problem) {
        place.replaceChildren(el("p", { class: "hint", role: "alert" }, `The trace cannot be read: ${problem.message}. Try again in a moment.`));
      }
    });
    return button;
  }
}
