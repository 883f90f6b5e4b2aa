"""What `ray start` does otherwise for us, by the hook that Ray calls; a test holds it to Ray's pinned version."""

import time
from typing import Any, Final

# Ray's own thirty seconds are exceeded where eight processes start at once on two cores.
MEETING_SECONDS: Final = 150.0


def adjust(parameters: Any, head: bool) -> None:  # noqa: FBT001 - the signature that Ray calls
    """Start only what serves: no server for remote clients, no dashboard; and wait for the node as long as it takes."""
    if not head:
        return
    from ray._private import services

    parameters.ray_client_server_port = None
    # As if it could not start, which Ray tolerates: 125 MB, and seconds of a start on few cores.
    services.start_api_server = lambda *_args, **_kwargs: (None, None)
    services.get_node = _patient(services.get_node)


def _patient(get_node: Any) -> Any:
    def get_node_patiently(*arguments: Any) -> Any:
        until = time.monotonic() + MEETING_SECONDS
        while True:
            try:
                return get_node(*arguments)
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    return get_node_patiently
