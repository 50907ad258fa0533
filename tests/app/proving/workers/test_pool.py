"""Who proves what: fake workers and a clock that the test moves; nothing here runs in the background."""

from __future__ import annotations

import pytest

from app.proving.workers.member import Item
from app.proving.workers.pool import HEDGE_BEFORE_HISTORY, HEDGE_LEAST, HEDGE_MULTIPLE, MAX_TRIES, ROW_OF_FAILURES, Pool
from app.proving.workers.worker import (
    Failed,
    Joined,
    Kind,
    Lost,
    Preparing,
    Progressed,
    Proved,
    Ready,
    Report,
    Stopped,
    Task,
    Tell,
    Worker,
)
from engine.stark.errors import VerificationError

GOOD, BAD, UNKEPT = b"good", b"bad", b"unkept"


class FakeWorker:
    """Remembers what it was told; the test reports in its name."""

    kind: Kind = "cluster"

    def __init__(self, name: str) -> None:
        self.name = name
        self.tasks: list[Task] = []
        self.cancels = 0
        self.stopped = False

    def start(self, report: Tell) -> None:
        """Nothing to start."""

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def cancel(self) -> None:
        self.cancels += 1

    def stop(self) -> None:
        self.stopped = True

    @property
    def batches(self) -> list[int]:
        """What it was asked to prove, in order."""
        return [task.batch for task in self.tasks]


class World:
    """A pool of fake workers, what came out of it, and the time."""

    def __init__(self, *names: str, stand_by: tuple[str, ...] = (), ready: bool = True) -> None:
        self.now = 0.0
        self.accepted: list[tuple[int, str, int]] = []
        self.given_up: list[tuple[int, str, int]] = []
        self.pool = Pool(self._accept, self._give_up, lambda worker, report: None)
        self.workers = {name: FakeWorker(name) for name in (*names, *stand_by)}
        for name, worker in self.workers.items():
            self.pool.add(worker, stand_by=name in stand_by)
            if ready:
                self.say(name, Ready())

    def _accept(self, item: Item, proved: Proved, worker: str) -> None:
        if proved.file == BAD:
            raise VerificationError("fri", "a folded value is wrong")
        if proved.file == UNKEPT:
            raise OSError("no space left")
        self.accepted.append((item.number, worker, item.next_try))

    def _give_up(self, item: Item) -> None:
        self.given_up.append((item.number, item.reasons(), item.next_try - 1))

    def say(self, name: str, report: Report) -> None:
        self.pool.take(self.workers[name], report, self.now)

    def ask(self, *numbers: int, updates: int = 64) -> None:
        for number in numbers:
            self.pool.submit(Item(number, 1, updates, b"job"), self.now)

    def task(self, name: str) -> int:
        return self.workers[name].tasks[-1].number

    def proves(self, name: str, file: bytes = GOOD, *, after: float = 1.0) -> None:
        self.now += after
        self.say(name, Proved(self.task(name), file))

    def state(self, name: str) -> str:
        return next(member.state for member in self.pool.members if member.worker.name == name)

    def view(self, name: str) -> object:
        return next(member.view() for member in self.pool.members if member.worker.name == name)


def history(world: World, name: str, first: int = 100) -> None:
    """Three proofs of a second each."""
    for number in range(first, first + 3):
        world.ask(number)
        world.proves(name)


def test_batches_go_out_in_order_of_number_to_whoever_is_free() -> None:
    world = World("a", "b")
    world.ask(3, 1, 4, 2)
    assert (world.workers["a"].batches, world.workers["b"].batches) == ([3], [1])
    world.proves("b")
    world.proves("a")
    assert (world.workers["a"].batches, world.workers["b"].batches) == ([3, 4], [1, 2])
    world.proves("a")
    world.proves("b")
    assert [number for number, _, _ in world.accepted] == [1, 3, 4, 2]
    assert not world.pool.items
    assert not any(worker.cancels for worker in world.workers.values())


def test_nobody_gets_work_before_it_is_ready_and_progress_is_seen() -> None:
    world = World("a", ready=False)
    world.ask(1)
    world.say("a", Preparing("compiling"))
    assert world.workers["a"].tasks == []
    assert world.view("a").stage == "compiling"  # type: ignore[attr-defined]
    world.say("a", Ready())
    world.say("a", Progressed(world.task("a"), "fri", 0.75))
    view = world.view("a")
    assert (view.state, view.batch, view.stage, view.fraction) == ("proving", 1, "fri", 0.75)  # type: ignore[attr-defined]
    world.proves("a")
    view = world.view("a")
    assert (view.state, view.batch, view.stage, view.proofs) == ("idle", None, "", 1)  # type: ignore[attr-defined]


def test_a_lost_worker_s_batch_is_proved_by_another_and_the_try_counted() -> None:
    world = World("a", "b")
    world.ask(1, 2)
    world.say("a", Lost("connection closed", for_good=True))
    assert world.state("a") == "lost"
    assert world.workers["b"].batches == [2]
    world.proves("b")
    assert world.workers["b"].batches == [2, 1]
    world.proves("b")
    assert world.accepted == [(2, "b", 1), (1, "b", 2)]
    world.say("a", Ready())
    assert world.state("a") == "lost", "for good"
    assert world.given_up == []


def test_a_lost_worker_that_comes_back_goes_on() -> None:
    world = World("a")
    world.ask(1)
    world.say("a", Lost("killed by signal 9"))
    assert world.pool.items[1].failed == [("a", "killed by signal 9")]
    assert world.workers["a"].batches == [1]
    world.say("a", Ready())
    assert world.workers["a"].batches == [1, 1]
    world.proves("a")
    assert world.accepted == [(1, "a", 2)]


def test_a_batch_that_every_worker_dies_of_is_given_up() -> None:
    world = World("a")
    world.ask(1)
    for number in range(MAX_TRIES):
        assert world.given_up == []
        world.say("a", Lost(f"out of memory {number}"))
        world.say("a", Ready())
    assert world.given_up == [(1, "a: out of memory 0; a: out of memory 1; a: out of memory 2", MAX_TRIES)]
    assert len(world.workers["a"].tasks) == MAX_TRIES


def test_a_bad_proof_is_never_accepted_and_its_maker_is_set_aside_with_the_reason() -> None:
    world = World("a", "b")
    world.ask(1)
    world.proves("a", BAD)
    view = world.view("a")
    assert (view.state, view.failures) == ("set aside", 1)  # type: ignore[attr-defined]
    assert view.last_failure == "proof refused at fri: a folded value is wrong"  # type: ignore[attr-defined]
    assert world.workers["b"].batches == [1]
    world.proves("b")
    assert world.accepted == [(1, "b", 2)]
    world.ask(2)
    assert world.workers["a"].batches == [1], "no more work for it"
    world.proves("b", BAD)
    assert world.state("b") == "idle", "the last one is kept"
    assert world.given_up == [(2, "b: proof refused at fri: a folded value is wrong", 1)]


def test_a_failure_is_tried_elsewhere_once_each_and_then_told() -> None:
    world = World("a", "b")
    world.ask(1)
    world.say("a", Failed(world.task("a"), "BadBatch"))
    assert world.workers["b"].batches == [1]
    world.say("b", Failed(world.task("b"), "BadBatch too"))
    assert world.given_up == [(1, "a: BadBatch; b: BadBatch too", 2)]
    assert (world.state("a"), world.state("b")) == ("idle", "idle")
    for number in range(2, 2 + ROW_OF_FAILURES - 1):
        world.ask(number)
        world.say("a", Failed(world.task("a"), "cannot import"))
        world.proves("b")
    assert world.state("a") == "set aside", "it failed at everything"


def test_a_proof_that_cannot_be_kept_is_told_and_nobody_blamed() -> None:
    world = World("a", "b")
    world.ask(1)
    world.proves("a", UNKEPT)
    assert world.given_up == [(1, "a: OSError: no space left", 1)]
    assert (world.state("a"), world.workers["b"].tasks) == ("idle", [])


@pytest.fixture
def slow() -> World:
    """Two workers; proofs take a second, and now the first of them has a batch since long."""
    world = World("a", "b")
    history(world, "a")
    world.ask(1)
    assert world.workers["a"].batches[-1] == 1
    world.now += max(HEDGE_LEAST, HEDGE_MULTIPLE) - 0.1
    world.pool.tick(world.now)
    assert world.workers["b"].tasks == []
    world.now += 0.2
    world.pool.tick(world.now)
    assert world.workers["b"].batches == [1]
    world.now += 100
    world.pool.tick(world.now)
    assert (len(world.workers["a"].tasks), len(world.workers["b"].tasks)) == (4, 1), "no third copy"
    return world


def test_a_slow_try_gets_a_second_copy_and_the_loser_is_cancelled(slow: World) -> None:
    slow.proves("b")
    assert slow.accepted[-1] == (1, "b", 1)
    assert (slow.workers["a"].cancels, slow.workers["b"].cancels) == (1, 0)
    slow.ask(2)
    assert slow.workers["b"].batches == [1, 2], "the first one is still busy with what nobody wants"
    slow.proves("a")
    assert len(slow.accepted) == 4, "a late proof is not taken twice"
    slow.ask(3)
    assert slow.workers["a"].batches[-1] == 3


def test_the_first_copy_may_win_as_well(slow: World) -> None:
    slow.proves("a")
    slow.say("b", Stopped(slow.task("b")))
    assert (slow.accepted[-1], slow.workers["b"].cancels, slow.state("b")) == ((1, "a", 1), 1, "idle")


def test_a_bad_first_copy_does_not_end_the_race(slow: World) -> None:
    slow.proves("a", BAD)
    assert slow.given_up == []
    assert slow.workers["b"].cancels == 0
    slow.proves("b")
    assert slow.accepted[-1] == (1, "b", 2)


def test_losing_one_copy_leaves_the_other(slow: World) -> None:
    slow.say("a", Lost("gone", for_good=True))
    assert slow.workers["b"].batches == [1]
    slow.say("b", Lost("gone", for_good=True))
    assert slow.given_up == [(1, "a: gone; b: gone", 2)]


def test_larger_batches_may_take_longer_and_the_first_one_much_longer() -> None:
    world = World("a", "b")
    world.ask(1)
    world.now = HEDGE_BEFORE_HISTORY - 1
    world.pool.tick(world.now)
    assert world.workers["b"].tasks == []
    world.proves("a", after=0)
    world = World("a", "b")
    history(world, "a")
    world.ask(1, updates=640)
    world.now += HEDGE_MULTIPLE * 9
    world.pool.tick(world.now)
    assert world.workers["b"].tasks == []


def test_an_overdue_batch_goes_before_waiting_ones_of_higher_number() -> None:
    world = World("a", "b")
    history(world, "a")
    world.ask(1, 2, 3)
    world.now += 100
    world.proves("b", after=0)
    assert world.workers["b"].batches == [2, 1]


def test_a_worker_on_stand_by_proves_only_when_it_must() -> None:
    world = World("a", stand_by=("spare",))
    world.ask(1, 2)
    assert world.workers["spare"].tasks == []
    world.say("a", Failed(world.task("a"), "no"))
    assert (world.workers["spare"].batches, world.workers["a"].batches) == ([1], [1, 2])
    world.proves("spare")
    world.ask(3)
    world.say("a", Lost("gone", for_good=True))
    assert world.workers["spare"].batches == [1, 2]
    world.proves("spare")
    assert world.workers["spare"].batches == [1, 2, 3]


def test_a_worker_that_joins_gets_what_waits() -> None:
    world = World("a")
    world.ask(1, 2)
    late: Worker = FakeWorker("late")
    world.say("a", Joined(late))
    world.workers["late"] = late  # type: ignore[assignment]
    world.say("late", Ready())
    assert world.workers["late"].batches == [2]


def test_stop_cancels_and_ends_everybody() -> None:
    world = World("a", "b")
    world.ask(1)
    world.pool.stop()
    assert all(worker.stopped for worker in world.workers.values())
    assert (world.workers["a"].cancels, world.workers["b"].cancels) == (1, 0)
    assert all(member.item is None for member in world.pool.members)
    world.say("a", Proved(world.task("a"), GOOD))
    assert world.accepted == []
