"""What `headrace up` shows: a live table on a terminal, lines elsewhere, JSON for scripts."""

from contextlib import AbstractContextManager
from dataclasses import asdict
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from headrace.cli.output import out, print_json
from headrace.cli.parts_table import parts_table
from headrace.embedded.supervisor import State, Status, Supervisor

# Memory is read anew this often while someone looks.
FRAMES_PER_SECOND = 0.5


class View(Protocol):
    """Told of everything that happens."""

    def watch(self, supervisor: Supervisor) -> None:
        """Whose parts are shown."""

    def changed(self, status: Status) -> None:
        """A part changed."""

    def ready(self, url: str, seconds: float) -> None:
        """Everything can be used."""

    def stopping(self) -> None:
        """Asked to stop: services drain now."""

    def stopped(self) -> None:
        """Nothing runs any more."""


def choose_view(*, as_json: bool) -> AbstractContextManager[View]:
    """The view for where the output goes."""
    if as_json:
        return JsonView()
    return TableView(out) if out.is_terminal else LineView(out)


class _Plain:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        return None

    def watch(self, supervisor: Supervisor) -> None:
        """Every change is told by itself."""


class JsonView(_Plain):
    """A line of JSON per event."""

    def changed(self, status: Status) -> None:
        print_json({"event": "part", **asdict(status)})

    def ready(self, url: str, seconds: float) -> None:
        print_json({"event": "ready", "url": url, "seconds": round(seconds, 2)})

    def stopping(self) -> None:
        print_json({"event": "stopping"})

    def stopped(self) -> None:
        print_json({"event": "stopped"})


class LineView(_Plain):
    """A line per change, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def changed(self, status: Status) -> None:
        note = _first_line(status.note) or (status.address if status.state is State.READY else "")
        self._say(f"{status.name:<15} {status.state:<11} {note}".rstrip())

    def ready(self, url: str, seconds: float) -> None:
        self._say(_ready(url, seconds))

    def stopping(self) -> None:
        self._say("stopping: services finish what they hold")

    def stopped(self) -> None:
        self._say("stopped")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class TableView:
    """A table that is drawn anew at each change."""

    def __init__(self, console: Console) -> None:
        self._supervisor: Supervisor | None = None
        self._footer = "starting"
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=FRAMES_PER_SECOND, redirect_stderr=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def watch(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def changed(self, status: Status) -> None:
        if status.state is State.RESTARTING:
            self._live.console.print(
                f"{status.name} is started again: {_first_line(status.note)}", markup=False, highlight=False
            )
        self._live.refresh()

    def ready(self, url: str, seconds: float) -> None:
        self._foot(_ready(url, seconds) + "; Ctrl-C stops it")

    def stopping(self) -> None:
        self._foot("stopping: services finish what they hold; Ctrl-C again ends it at once")

    def stopped(self) -> None:
        self._foot("stopped")

    def _foot(self, text: str) -> None:
        self._footer = text
        self._live.refresh()

    def _render(self) -> Group:
        statuses = self._supervisor.statuses if self._supervisor else ()
        return Group(parts_table(statuses), Text(self._footer, "bold"))


def _ready(url: str, seconds: float) -> str:
    return f"ready after {seconds:.1f} s" + (f": open {url}" if url else "")


def _first_line(note: str) -> str:
    """Without the end of a log, which an error that ends everything shows in full."""
    return note.split("\n", 1)[0].removesuffix(" and ends:")
