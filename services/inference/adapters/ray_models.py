"""Engines as Ray Serve applications, one per model. They outlive this process: a restart finds its models loaded."""

import asyncio
import hashlib
import os
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import structlog

from headrace.embedded.ray_head import ON_ONE_MACHINE, EmbeddedRay
from headrace.messaging.errors import Retryable
from headrace.models.spec import ModelSpec
from headrace.runtime.paths import data_dir
from services.inference.adapters.ray_engine import RayEngine
from services.inference.adapters.ray_replica import Replica
from services.inference.ports import Engine

log = structlog.get_logger()

_NAMESPACE: Final = "headrace"
_PREFIX: Final = "inference."
# What callers and replicas say to each other; a replica of another number is deployed anew.
_PROTOCOL: Final = 3
# A caller that a replica has not heard of for this long is gone; one that is there says so every second.
_ABSENCE_SECONDS: Final = 5.0
_LOOK_EVERY_SECONDS: Final = 0.2
# What Serve says of a replica that was not placed for half a minute.
_NO_PLACE: Final = "Resources required for each replica"
# What a replica must know of where things are, on whatever node it is.
_PASSED_ON: Final = (
    "HEADRACE_CACHE_DIR",
    "HEADRACE_DATA_DIR",
    "HEADRACE_INFRA_DIR",
    "HEADRACE_MAVEN_URL",
    "HF_TOKEN",
    "HF_ENDPOINT",
)


class RayModels:
    """Deploys, or finds deployed, the application of each model."""

    def __init__(self, address: str) -> None:
        self._address = address
        # A cluster of our own, where there is no address.
        self._head: EmbeddedRay | None = None
        self._engines: dict[str, RayEngine] = {}
        # Ray and Serve are started once.
        self._asking = asyncio.Lock()
        # A model that takes long, or has no place, keeps no other waiting.
        self._deploying: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def engine(self, spec: ModelSpec) -> Engine:
        async with self._deploying[spec.name]:
            found = self._engines.get(spec.name)
            if found is None or found.lost:
                found = self._engines[spec.name] = await self._deployed(spec)
        return found

    async def check(self) -> None:
        for name, engine in self._engines.items():
            if engine.lost:
                raise Retryable(f"the application of model {name} does not answer; the next turn deploys it again")

    async def close(self) -> None:
        """Let go of the cluster; one of our own ends."""
        import ray

        for engine in self._engines.values():
            await engine.close()
        self._engines.clear()
        await asyncio.to_thread(ray.shutdown)
        if self._head is not None:
            await self._head.stop()

    async def _deployed(self, spec: ModelSpec) -> RayEngine:
        import ray.exceptions

        try:
            async with self._asking:
                address = await self._cluster()
                await asyncio.to_thread(_connect, address)
                application = await asyncio.to_thread(_deploy, spec)
            handle = await _running(application, spec)
            name = await handle.name.remote()
        except (ray.exceptions.RayError, RuntimeError, ConnectionError, TimeoutError) as exc:
            raise Retryable(f"model {spec.name} is not deployed on Ray: {_last_line(exc)}") from exc
        log.info("model reached on ray", model=spec.name, engine=name)
        return RayEngine(handle, name, spec)

    async def _cluster(self) -> str:
        """The address of the cluster; without one configured, of a head that lives as long as this process."""
        if self._address:
            return self._address
        if self._head is None:
            folder = data_dir() / "logs"
            folder.mkdir(parents=True, exist_ok=True)
            head = EmbeddedRay(log=folder / "ray.log")
            await head.start()
            os.environ.update(head.environment)
            self._head = head
        return self._head.address


def application_name(spec: ModelSpec) -> str:
    """Named by model and configuration: an unchanged application is found again, a changed one is deployed afresh."""
    digest = hashlib.sha256(f"{_PROTOCOL}{spec.model_dump_json()}".encode()).hexdigest()[:8]
    return f"{_PREFIX}{spec.name}.{digest}"


def _deploy(spec: ModelSpec) -> str:
    """Have the application there or on its way, drop what an earlier configuration left behind, and return its name."""
    import ray
    from ray import serve

    name = application_name(spec)
    serve.start(proxy_location="Disabled")
    applications = serve.status().applications
    if name in applications and applications[name].status in {"RUNNING", "DEPLOYING"}:
        return name
    available: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray types only half of itself
    gpus = min(spec.resources.gpus, available.get("GPU", 0.0))
    # On a machine of its own there is no other place to go: counting would only keep the next model from starting.
    cpus = 0.0 if ON_ONE_MACHINE in available else spec.resources.cpus
    environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    deploy: Any = serve.deployment
    deployment = deploy(
        Replica,
        name="engine",
        num_replicas=spec.resources.replicas,
        # All that may wait does so at the replica, which knows who goes first.
        max_ongoing_requests=2 * (spec.resources.max_running + spec.limits.max_queue),
        max_queued_requests=spec.limits.max_queue,
        health_check_period_s=5,
        health_check_timeout_s=60,
        graceful_shutdown_timeout_s=5,
        ray_actor_options={
            "num_cpus": cpus,
            "num_gpus": gpus,
            "runtime_env": {"env_vars": {**environment, "PYTHONPATH": os.pathsep.join(_import_paths())}},
        },
    )
    application = deployment.bind(spec.model_dump_json(), gpu=gpus > 0, absence_seconds=_ABSENCE_SECONDS)
    # Not until it runs: a thread that waits for a place in the cluster cannot be called back.
    serve.run_many(
        [serve.RunTarget(application, name=name, route_prefix=None)],
        wait_for_ingress_deployment_creation=False,
        wait_for_applications_running=False,
    )
    for other in applications:
        if other.rpartition(".")[0] == name.rpartition(".")[0] and other != name:
            serve.delete(other)
    return name


async def _running(application: str, spec: ModelSpec) -> Any:
    """Its handle, once it runs; `Retryable` if it cannot be, or finds no place."""
    from ray import serve

    while True:
        told = (await asyncio.to_thread(serve.status)).applications.get(application)
        status = told.status if told else "GONE"
        if status == "RUNNING":
            return await asyncio.to_thread(serve.get_app_handle, application)
        if told is None or status not in {"NOT_STARTED", "DEPLOYING"}:
            raise Retryable(f"model {spec.name} is not deployed on Ray: {_reason(told, status)}")
        if any(_NO_PLACE in deployment.message for deployment in told.deployments.values()):
            raise Retryable(
                f"model {spec.name} finds no place in the Ray cluster: it wants {spec.resources.cpus:g} CPUs and "
                f"{spec.resources.gpus:g} GPUs (`resources` in its YAML); it starts once others leave room"
            )
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _reason(told: Any, status: str) -> str:
    messages = [told.message, *(each.message for each in told.deployments.values())] if told else []
    return next((_last_line(message) for message in reversed(messages) if message), status.lower())


def _connect(address: str) -> None:
    import ray

    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A driver under `uv run` would have its environment rebuilt for the workers.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    ray.init(address, namespace=_NAMESPACE, log_to_driver=False, configure_logging=False)


def _import_paths() -> list[str]:
    """Where `headrace` and `services` are imported from, for the workers."""
    import headrace
    import services

    return sorted({str(Path(package.__path__[0]).resolve().parent) for package in (headrace, services)})


def _last_line(exc: object) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[-1]
