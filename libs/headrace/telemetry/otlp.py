"""Where spans go with a collector: to it, by OTLP over HTTP."""

import logging
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

_OTLP_PATH: Final = "/v1/traces"
_OTLP_TIMEOUT_SECONDS: Final = 3.0


def otlp_exporter(endpoint: str) -> OTLPSpanExporter:
    """Return an exporter to the collector at this address, with or without the path of its traces."""
    # It tells every failed try; `OnDemandBatches` tells an outage once and counts what it cost.
    logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.CRITICAL)
    base = endpoint.rstrip("/")
    url = base if base.endswith(_OTLP_PATH) else base + _OTLP_PATH
    return OTLPSpanExporter(endpoint=url, timeout=_OTLP_TIMEOUT_SECONDS)
