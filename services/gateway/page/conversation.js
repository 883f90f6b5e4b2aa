// What was said, kept in this browser, so that a reload or a lost network loses nothing.

const KEY = "headrace.conversation";
const MAX_TURNS = 100;

export const SENDING = "sending"; // not yet known to be on Kafka
export const RUNNING = "running";
export const DONE = "done";
export const FAILED = "failed";

export class Conversation {
  constructor(storage = localStorage) {
    this.storage = storage;
    this.id = crypto.randomUUID();
    this.turns = [];
    this.timer = null;
  }

  load() {
    try {
      const kept = JSON.parse(this.storage.getItem(KEY) ?? "null");
      if (kept?.id && Array.isArray(kept.turns)) {
        this.id = kept.id;
        this.turns = kept.turns;
      }
    } catch {
      // What cannot be read is as good as nothing: begin anew.
      this.storage.removeItem(KEY);
    }
  }

  clear() {
    this.id = crypto.randomUUID();
    this.turns = [];
    this.save();
  }

  add(question, model) {
    const turn = { id: crypto.randomUUID(), question, model, state: SENDING, text: "", seq: -1, attempt: null, notices: [], citations: [] };
    this.turns.push(turn);
    this.turns.splice(0, this.turns.length - MAX_TURNS);
    this.save();
    return turn;
  }

  find(id) {
    return this.turns.find((turn) => turn.id === id);
  }

  open() {
    return this.turns.filter((turn) => turn.state === SENDING || turn.state === RUNNING);
  }

  // Text and place are saved together, so that what a reload resumes is what it shows.
  save() {
    clearTimeout(this.timer);
    this.timer = null;
    try {
      this.storage.setItem(KEY, JSON.stringify({ id: this.id, turns: this.turns }));
    } catch {
      // Full or forbidden: the conversation then lives as long as the page.
    }
  }

  saveSoon() {
    this.timer ??= setTimeout(() => this.save(), 300);
  }
}

// What a frame changes in its turn. Returns whether anything did.
export function apply(turn, frame) {
  switch (frame.type) {
    case "accepted":
      if (turn.state === SENDING) turn.state = RUNNING;
      return true;
    case "delta":
      if (turn.attempt !== null && frame.attempt !== turn.attempt) return false;
      if (frame.seq <= turn.seq) return false;
      turn.state = RUNNING;
      turn.attempt = frame.attempt;
      turn.seq = frame.seq;
      turn.text += frame.text;
      return true;
    case "restarted":
      Object.assign(turn, { attempt: frame.attempt, seq: -1, text: "" });
      return true;
    case "citations":
      turn.citations = frame.items;
      return true;
    case "notice":
      if (frame.code === "feedback_recorded") turn.rated = true;
      else if (!turn.notices.some((notice) => notice.code === frame.code)) turn.notices.push({ code: frame.code, text: frame.text });
      return true;
    case "done":
      turn.state = DONE;
      // The final's text counts; that it is another than what was streamed is a fault worth knowing of.
      if (frame.text && frame.text !== turn.text) console.error("headrace: the final differs from what was streamed", turn.id);
      if (frame.text) turn.text = frame.text;
      turn.done = frame;
      delete turn.error;
      return true;
    case "error":
      turn.state = FAILED;
      turn.error = frame;
      return true;
    default:
      return false;
  }
}
