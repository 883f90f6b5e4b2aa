// The chat: the conversation on one side, the connection on the other, and the page between them.

import { AnswerView } from "./answer.js";
import { Connection } from "./connection.js";
import { apply, Conversation, RUNNING, SENDING } from "./conversation.js";
import { offerModels } from "./models.js";
import { themed } from "./theme.js";

const STATES = { connecting: "Connecting…", open: "Connected", lost: "Connection lost, trying again…", offline: "No network. Waiting for it…" };
const MAX_RETRIES = 5;
const $ = (id) => document.getElementById(id);
const conversation = new Conversation();
const views = new Map();

const connection = new Connection({
  opened: () => conversation.open().forEach(send),
  frame: receive,
  state: (state) => {
    $("connection").dataset.state = state;
    $("connection").textContent = STATES[state];
    document.documentElement.dataset.connection = state;
    if (state === "open") sendLate();
  },
});

// A turn that Kafka may not have is asked, by the same id: one that is known is resumed and never run twice.
function send(turn) {
  if (turn.state === SENDING) {
    const frame = { type: "ask", id: turn.id, conversation: conversation.id, text: turn.question };
    connection.send(turn.model ? { ...frame, model: turn.model } : frame);
  } else {
    const place = { after_seq: turn.seq };
    if (turn.attempt !== null) place.attempt = turn.attempt;
    connection.send({ type: "resume", id: turn.id, ...place });
  }
}

// What was wished while there was no connection.
function sendLate() {
  for (const turn of conversation.turns) {
    if (turn.cancelling && (turn.state === SENDING || turn.state === RUNNING)) connection.send({ type: "cancel", id: turn.id });
    if (turn.unsent && connection.send({ type: "feedback", id: turn.id, ...turn.feedback })) delete turn.unsent;
  }
}

function receive(frame) {
  const turn = conversation.find(frame.id);
  if (!turn) {
    if (frame.type === "error") console.warn("headrace:", frame.code, frame.message);
    return;
  }
  if (frame.type === "error" && ignored(turn, frame)) return;
  const follows = isAtBottom();
  if (!apply(turn, frame)) return;
  delete turn.retrying;
  if (frame.type === "done") {
    turn.tookMs = turn.askedAt ? Date.now() - turn.askedAt : null;
    delete turn.askedAt;
    delete turn.cancelling;
  }
  if (frame.type === "delta") conversation.saveSoon();
  else conversation.save();
  show(turn, follows);
}

// An error about something else than the answer, or one that goes away by asking again.
function ignored(turn, error) {
  if (turn.state !== SENDING && turn.state !== RUNNING) return true;
  if (!error.retry_after || error.final || (turn.retries ?? 0) >= MAX_RETRIES) return false;
  turn.retries = (turn.retries ?? 0) + 1;
  turn.retrying = `${error.message}. Trying again in ${error.retry_after} s…`;
  show(turn, false);
  setTimeout(() => {
    if (turn.state === SENDING || turn.state === RUNNING) send(turn);
  }, error.retry_after * 1000);
  return true;
}

const actions = {
  // One id for all that is said of one answer: what is said last counts, and it counts once.
  rate(turn, said) {
    turn.feedback = { feedback_id: turn.feedback?.feedback_id ?? crypto.randomUUID(), ...said };
    const isSent = connection.send({ type: "feedback", id: turn.id, ...turn.feedback });
    if (isSent) delete turn.unsent;
    else turn.unsent = true;
    conversation.save();
    return isSent;
  },
  askAgain(turn) {
    ask(turn.question);
  },
};

function ask(question) {
  const turn = conversation.add(question, $("model").value);
  turn.askedAt = Date.now();
  send(turn);
  show(turn, true);
}

function cancel() {
  const turn = conversation.open().at(-1);
  if (!turn) return;
  turn.cancelling = true;
  connection.send({ type: "cancel", id: turn.id });
  conversation.save();
  $("question").focus();
}

function show(turn, follows) {
  let view = views.get(turn.id);
  if (view) {
    view.update();
  } else {
    view = new AnswerView(turn, actions);
    views.set(turn.id, view);
    $("turns").append(view.element);
  }
  $("welcome").hidden = true;
  showTools();
  if (follows) requestAnimationFrame(() => scrollTo({ top: document.body.scrollHeight }));
}

function showTools() {
  const isBusy = conversation.open().length > 0;
  $("stop").hidden = !isBusy;
  $("latest").hidden = isAtBottom();
}

function isAtBottom() {
  return innerHeight + scrollY >= document.body.scrollHeight - 80;
}

function fit() {
  const box = $("question");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, innerHeight / 3)}px`;
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  if (!question) return;
  $("question").value = "";
  fit();
  ask(question);
});
$("question").addEventListener("input", fit);
$("question").addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("ask").requestSubmit();
});
document.addEventListener("keydown", (event) => event.key === "Escape" && cancel());
$("stop").addEventListener("click", cancel);
$("fresh").addEventListener("click", () => {
  cancel();
  conversation.clear();
  views.clear();
  $("turns").replaceChildren();
  $("welcome").hidden = false;
  showTools();
  $("question").focus();
});
$("latest").addEventListener("click", () => scrollTo({ top: document.body.scrollHeight, behavior: "smooth" }));
for (const example of document.querySelectorAll(".example")) example.addEventListener("click", () => ask(example.textContent));
addEventListener("scroll", showTools, { passive: true });
addEventListener("pagehide", () => conversation.save());

themed($("theme"));
// Without the list there is still the default.
offerModels($("model")).catch((problem) => console.warn("headrace: no list of models:", problem.message));
conversation.load();
for (const turn of conversation.turns) show(turn, true);
connection.connect();
$("question").focus();
