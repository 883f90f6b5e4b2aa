"""Turns tracing on for one process: who it is, where its spans go, how the trace travels."""

import atexit
import time
from collections.abc import Callable
from typing import Final, Literal

from opentelemetry import propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from headrace.runtime.version import own_version
from headrace.telemetry import attributes
from headrace.telemetry.batching import OnDemandBatches
from headrace.telemetry.local import StoreExporter
from headrace.telemetry.store import SpanStore, store_path

_SHUTDOWN_SECONDS: Final = 2.0


class TelemetrySettings(BaseSettings):
    """Where spans go. With `HEADRACE_SPAN_STORE=auto` the local store is on only where there is no collector."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", frozen=True, extra="ignore", populate_by_name=True)

    otlp_endpoint: str = ""
    span_store: Literal["auto", "on", "off"] = "auto"
    span_store_max_traces: int = Field(10_000, ge=1)
    span_store_max_mib: int = Field(256, ge=1)
    instance: str = ""

    @property
    def stores_locally(self) -> bool:
        """Whether spans go into the local store."""
        return self.span_store == "on" or (self.span_store == "auto" and not self.otlp_endpoint)


class Tracing:
    """The provider of one process and the exporters behind it."""

    def __init__(self, service: str, settings: TelemetrySettings) -> None:
        self.provider = TracerProvider(resource=_resource(service, settings), shutdown_on_exit=False)
        self._exporting: list[OnDemandBatches] = []
        if settings.stores_locally:
            path = store_path()
            store = SpanStore(
                path, max_traces=settings.span_store_max_traces, max_bytes=settings.span_store_max_mib * 2**20
            )
            self._exporting.append(OnDemandBatches(StoreExporter(store), "sqlite", target=str(path)))
        if settings.otlp_endpoint:
            # Its import takes a tenth of a second, which most do not need.
            from headrace.telemetry.otlp import otlp_exporter

            exporter = otlp_exporter(settings.otlp_endpoint)
            self._exporting.append(OnDemandBatches(exporter, "otlp", target=settings.otlp_endpoint))
        for processor in self._exporting:
            self.provider.add_span_processor(processor)

    def shutdown(self) -> None:
        """Export what is left, all exporters side by side, and return within two seconds whatever they do."""
        deadline = time.monotonic() + _SHUTDOWN_SECONDS
        for processor in self._exporting:
            processor.stop()
        for processor in self._exporting:
            processor.join(deadline)
        self._exporting.clear()


_installed: Tracing | None = None


def setup_telemetry(service: str) -> Callable[[], None]:
    """Trace this process under this service's name and return what ends it; call it once, before the first span.

    A process has one tracer provider for its life: a second call changes nothing and its shutdown does nothing.
    """
    global _installed  # noqa: PLW0603 - OpenTelemetry's provider is the process's own global, set once
    if _installed is not None:
        return _nothing_to_end
    _installed = Tracing(service, TelemetrySettings())
    # No baggage: what a client puts into it would travel through every service unseen.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    trace.set_tracer_provider(_installed.provider)
    atexit.register(_installed.shutdown)
    return _installed.shutdown


def _nothing_to_end() -> None:
    """End nothing: whoever set up first also ends."""


def _resource(service: str, settings: TelemetrySettings) -> Resource:
    own = {attributes.SERVICE_NAME: service, attributes.SERVICE_VERSION: own_version()}
    if settings.instance:
        own[attributes.SERVICE_INSTANCE_ID] = settings.instance
    return Resource.create(own)
