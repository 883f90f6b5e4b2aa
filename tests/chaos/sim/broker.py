"""The simulated broker: a log, its groups, the network to it, and who reads."""

from random import Random
from typing import Protocol

from headrace.messaging.records import TopicPartition
from tests.chaos.sim.group import Group
from tests.chaos.sim.log import SimLog
from tests.chaos.sim.loop import VirtualLoop
from tests.chaos.sim.network import Network
from tests.chaos.sim.transactions import Coordinator


class Reader(Protocol):
    """Told where there may be something to read."""

    def moved(self, place: TopicPartition) -> None: ...


class Note(Protocol):
    """Takes what happened into the run's events."""

    def __call__(self, what: str, detail: str) -> None: ...


class Broker:
    """What every process of a run is connected to."""

    def __init__(self, loop: VirtualLoop, log: SimLog, network: Network, choice: Random, note: Note) -> None:
        self.loop, self.log, self.network, self.choice, self.note = loop, log, network, choice, note
        self.groups: dict[str, Group] = {}
        self.readers: list[Reader] = []
        self.coordinator = Coordinator(loop, log)
        log.moved = self._moved

    def group(self, name: str) -> Group:
        """The group of this name."""
        if name not in self.groups:
            self.groups[name] = Group(name, self.loop, self.log, self.choice)
        return self.groups[name]

    def _moved(self, place: TopicPartition) -> None:
        for reader in self.readers:
            reader.moved(place)
