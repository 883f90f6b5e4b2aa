"""An OpenTelemetry collector for tests: real HTTP, real OTLP; it takes, refuses or hangs."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Manner = Literal["takes", "refuses", "hangs"]


class Collector:
    """Listens on a free port of this machine while it is entered."""

    def __init__(self, manner: Manner = "takes") -> None:
        self.manner = manner
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        self.asked = threading.Event()
        self.let_go = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def spans(self) -> list[tuple[str, Span]]:
        """Service and span of all that was taken."""
        return [
            (next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name"), span)
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.paths.append(self.path)
                collector.asked.set()
                if collector.manner == "hangs":
                    collector.let_go.wait(30)
                    return
                if collector.manner == "takes":
                    collector.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200 if collector.manner == "takes" else 503)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
                """Say nothing."""

        return Handler
