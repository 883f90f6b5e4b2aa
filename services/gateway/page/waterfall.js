// Where the time of an answer went: a table that screen readers read, with bars for the eye. Waiting apart from working.

import { duration, el } from "./dom.js";

export async function waterfall(turn) {
  const arranged = await fetchTrace(turn.id);
  const lines = arranged.spans.length ? arranged.spans : stagesOf(turn);
  if (!lines.length) return el("p", { class: "hint" }, "No trace of this answer is stored here. A collector may have it.");
  const total = arranged.spans.length ? arranged.total_ms : Math.max(...lines.map((line) => line.offset_ms + line.queue_ms + line.work_ms));
  const waited = lines.reduce((sum, line) => sum + line.queue_ms, 0);
  const caption = `${duration(total)} in all, ${duration(waited)} of it waiting in queues`;
  const head = ["Step", "Waited", "Worked", "When"].map((name) => el("th", { scope: "col" }, name));
  return el(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": "Where the time went" },
    el(
      "table",
      { class: "waterfall" },
      el("caption", {}, caption, el("span", { class: "key", "aria-hidden": "true" }, el("i", { class: "queue" }), "waited", el("i", { class: "work" }), "worked")),
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...lines.map((line) => row(line, total))),
    ),
  );
}

function row(line, total) {
  const step = el("th", { scope: "row" }, el("span", { class: "name" }, line.name), " ", el("span", { class: "service" }, line.service));
  step.style.setProperty("--depth", String(line.depth));
  const track = el("div", { class: "track", "aria-hidden": "true" }, bar("queue", line.offset_ms, line.queue_ms, total), bar("work", line.offset_ms + line.queue_ms, line.work_ms, total));
  return el(
    "tr",
    { class: line.status === "error" ? "failed" : null },
    step,
    el("td", {}, line.queue_ms ? duration(line.queue_ms) : "–"),
    el("td", {}, duration(line.work_ms)),
    el("td", {}, el("span", { class: "hidden" }, `from ${duration(line.offset_ms)}`), track),
  );
}

function bar(kind, from, length, total) {
  const element = el("i", { class: kind });
  element.style.left = `${(100 * from) / total}%`;
  element.style.width = `${(100 * length) / total}%`;
  return element;
}

// Spans reach the store a moment after the answer: the root comes last, so ask again until it is there.
async function fetchTrace(id) {
  let arranged = { spans: [], total_ms: 0 };
  for (const pause of [0, 400, 800, 1600]) {
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
    const response = await fetch(`/v1/traces/${encodeURIComponent(id)}`);
    if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
    arranged = await response.json();
    if (arranged.spans.some((span) => span.name === "ask")) break;
  }
  return arranged;
}

// Without stored spans the final still tells how long each stage took; when, it does not say, so they are put in a row.
function stagesOf(turn) {
  let offset = 0;
  return Object.entries(turn.done?.timings ?? {}).map(([name, { queue_ms, work_ms }]) => {
    const line = { name, service: "", depth: 0, offset_ms: offset, queue_ms, work_ms, status: "unset" };
    offset += queue_ms + work_ms;
    return line;
  });
}
