// One websocket that comes back by itself.

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;

export class Connection {
  constructor({ opened, frame, state }) {
    this.opened = opened;
    this.frame = frame;
    this.state = state;
    this.socket = null;
    this.wait = FIRST_WAIT_MS;
    this.timer = null;
    addEventListener("online", () => this.connect());
    // A socket over a network that has gone may look open for minutes.
    addEventListener("offline", () => this.drop("offline"));
    addEventListener("pageshow", (event) => event.persisted && this.connect());
  }

  connect() {
    clearTimeout(this.timer);
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    if (navigator.onLine === false) {
      this.state("offline");
      return;
    }
    this.state("connecting");
    const address = new URL("/v1/chat/ws", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.state("open");
      this.opened();
    };
    socket.onmessage = (event) => socket === this.socket && this.frame(JSON.parse(event.data));
    socket.onclose = () => socket === this.socket && this.drop("lost");
  }

  drop(state) {
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onclose = null;
      socket.close();
    }
    this.state(state);
    clearTimeout(this.timer);
    // Not all at once: a gateway that restarts has many clients.
    this.timer = setTimeout(() => this.connect(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(frame) {
    if (this.isOpen) this.socket.send(JSON.stringify(frame));
    return this.isOpen;
  }
}
