"""What the pool knows of a worker and of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.proving.workers.worker import IN_PROCESS, Task, Worker
from app.runtime.utilisation import BusyShare
from app.snapshot.views import WorkerView


@dataclass(frozen=True, slots=True)
class LiveProof:
    """Progress of a try that runs. ``started``: monotonic seconds; ``stage_seconds``: of the stages that ended."""

    batch: int
    attempt: int
    stage: str
    fraction: float
    started: float
    stage_seconds: dict[str, float]


@dataclass(slots=True, eq=False)
class Item:
    """A batch on its way to a proof. ``failed``: worker and reason of every try that came to nothing."""

    number: int
    attempt: int
    updates: int
    job: bytes
    failed: list[tuple[str, str]] = field(default_factory=list)
    running: list[Member] = field(default_factory=list)

    @property
    def next_try(self) -> int:
        """What the venue counts: the number of the try that runs or comes next."""
        return self.attempt + len(self.failed)

    def failed_on(self, member: Member) -> bool:
        """Whether this worker tried and failed."""
        return any(name == member.worker.name for name, _ in self.failed)

    def reasons(self) -> str:
        """Why tries came to nothing, oldest first; "" when none did."""
        return "; ".join(reason if name == IN_PROCESS else f"{name}: {reason}" for name, reason in self.failed)


@dataclass(slots=True, eq=False)
class Member:
    """A worker in the pool. ``item`` is None while it has a task that nobody wants any more."""

    worker: Worker
    stand_by: bool = False
    state: str = "starting"
    task: Task | None = None
    item: Item | None = None
    since: float = 0.0
    stage: str = ""
    fraction: float = 0.0
    moved: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)
    proofs: int = 0
    failures: int = 0
    in_a_row: int = 0
    last_failure: str = ""
    gone: bool = False
    busy: BusyShare = field(default_factory=BusyShare)

    @property
    def usable(self) -> bool:
        """It proves, or may soon."""
        return not self.gone and self.state != "set aside"

    def begin(self, task: Task, item: Item, now: float) -> None:
        """A try starts."""
        self.task, self.item, self.state = task, item, "proving"
        self.since = self.moved = now
        self.stage, self.fraction, self.stage_seconds = "waiting", 0.0, {}
        self.busy.begin()

    def advance(self, stage: str, fraction: float, now: float) -> None:
        """``stage`` ended (some end several times): the time since the last call was its own.

        The seconds are replaced and never changed, so that any thread may read them.
        """
        spent = self.stage_seconds.get(stage, 0.0) + now - self.moved
        self.stage_seconds = {**self.stage_seconds, stage: spent}
        self.stage, self.fraction, self.moved = stage, fraction, now

    def live(self, item: Item) -> LiveProof:
        """The try that runs, at ``item``."""
        return LiveProof(item.number, item.next_try, self.stage, self.fraction, self.since, self.stage_seconds)

    def view(self) -> WorkerView:
        """As the window shows it."""
        item = self.item
        return WorkerView(
            name=self.worker.name,
            kind=self.worker.kind,
            state=self.state,
            batch=item.number if item else None,
            stage=self.stage,
            fraction=self.fraction,
            busy=self.busy.share(),
            proofs=self.proofs,
            failures=self.failures,
            last_failure=self.last_failure,
        )
