"""Who proves what: batches in order of number, tries again elsewhere, second copies of slow ones.

A worker's file counts once ``accept`` has verified it. A try that fails is repeated on a worker that has not failed at
this batch; where there is none, the failure is the batch's answer (``give_up``) and whoever asked decides. A lost
worker's batch goes back to the queue. A worker that hands in a bad proof, or fails ``ROW_OF_FAILURES`` times in a row,
is set aside with its reason, unless nobody else is left. A batch whose only try takes longer than ``HEDGE_MULTIPLE``
times what such a batch takes gets a second copy; the first valid proof wins, and the other try is cancelled.

A worker on stand-by gets work only when no other one is usable, and second copies.

One thread calls; ``now`` is its clock in seconds.
"""

from __future__ import annotations

import itertools
import logging
import statistics
from collections import deque
from collections.abc import Callable

from app.proving.workers.member import Item, Member
from app.proving.workers.threads import reason_of
from app.proving.workers.worker import (
    Failed,
    Joined,
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

MAX_TRIES = 3
"""Tries at a batch before the failure is told; whoever asked may ask again."""
ROW_OF_FAILURES = 3
HEDGE_MULTIPLE = 4.0
HEDGE_LEAST = 2.0
"""Seconds: below, a second copy costs more than it can save."""
HEDGE_BEFORE_HISTORY = 60.0
"""Seconds that a try may take before there is a median: the first proof may compile kernels."""
HISTORY = 32
GONE_SHOWN = 8
LOG = logging.getLogger(__name__)

Accept = Callable[[Item, Proved, str], None]
GiveUp = Callable[[Item], None]


class Pool:
    """The policy. ``accept(item, proved, worker's name)`` verifies and keeps a proof or raises; ``give_up(item)``."""

    def __init__(self, accept: Accept, give_up: GiveUp, report: Tell) -> None:
        self._accept = accept
        self._give_up = give_up
        self._report = report
        self._numbers = itertools.count(1)
        self._history: deque[tuple[float, int]] = deque(maxlen=HISTORY)
        self.members: tuple[Member, ...] = ()
        self.items: dict[int, Item] = {}

    # -- from outside

    def add(self, worker: Worker, *, stand_by: bool = False) -> None:
        """Take a worker in and start it. Those that were lost for good are forgotten after some time."""
        gone = [member for member in self.members if member.gone][:-GONE_SHOWN]
        kept = tuple(member for member in self.members if member not in gone)
        self.members = (*kept, Member(worker, stand_by))
        worker.start(self._report)

    def submit(self, item: Item, now: float) -> None:
        """Prove a batch."""
        self.items[item.number] = item
        self.tick(now)

    def stop(self) -> None:
        """Cancel everything and end every worker."""
        for member in self.members:
            if member.task is not None:
                member.worker.cancel()
        for member in self.members:
            member.worker.stop()
            self._release(member)

    def tick(self, now: float) -> None:
        """Give free workers something to do: the lowest batch first, be it waiting or overdue."""
        for item in sorted(self.items.values(), key=lambda item: item.number):
            if not item.running:
                self._place(item, now)
            elif len(item.running) == 1 and self._is_overdue(item, now):
                self._place(item, now, copy=True)

    def take(self, worker: Worker | None, report: Report, now: float) -> None:
        """Act on a report; reports of tasks that are over, and of workers that were forgotten, change nothing."""
        if isinstance(report, Joined):
            self.add(report.worker)
            return
        member = next((member for member in self.members if member.worker is worker), None)
        if member is None or member.gone:
            return
        if isinstance(report, Preparing):
            member.stage, member.fraction = report.stage, report.fraction
        elif isinstance(report, Ready):
            member.state, member.stage, member.fraction = "idle", "", 0.0
        elif isinstance(report, Lost):
            self._lost(member, report)
        elif member.task is None or member.task.number != report.task:
            return
        elif isinstance(report, Progressed):
            member.advance(report.stage, report.fraction, now)
        else:
            self._ended(member, report, now)
        self.tick(now)

    # -- tries

    def _place(self, item: Item, now: float, *, copy: bool = False) -> None:
        """Start a try on a free worker, if there is one."""
        member = next(iter(self._free(item, copy=copy)), None)
        if member is None:
            return
        task = Task(next(self._numbers), item.number, item.job)
        member.begin(task, item, now)
        item.running.append(member)
        member.worker.submit(task)

    def _free(self, item: Item, *, copy: bool) -> list[Member]:
        """Workers that could start now, best first. Those that failed at this batch only when no other is usable."""
        usable = sorted((member for member in self.members if member.usable), key=lambda member: member.stand_by)
        fresh = [member for member in usable if not item.failed_on(member)]
        regular = [member for member in fresh if not member.stand_by]
        chosen = fresh if copy else regular or fresh or usable
        return [member for member in chosen if member.state == "idle" and member not in item.running]

    def _is_overdue(self, item: Item, now: float) -> bool:
        spent = now - item.running[0].since
        if not self._history:
            return spent > HEDGE_BEFORE_HISTORY
        seconds = statistics.median(seconds for seconds, _ in self._history)
        updates = statistics.median(updates for _, updates in self._history)
        return spent > max(HEDGE_LEAST, HEDGE_MULTIPLE * seconds * max(1.0, item.updates / max(1.0, updates)))

    def _ended(self, member: Member, report: Proved | Failed | Stopped, now: float) -> None:
        item, problem = member.item, None
        if item is not None and isinstance(report, Proved):
            member.stage, member.fraction = "verifying", 1.0
            problem = self._judge(item, report, member)
        self._release(member)
        member.state = "idle"
        if item is None or isinstance(report, Stopped):
            return  # nobody wants it any more
        if isinstance(report, Failed):
            self._failed(member, item, report.reason)
        elif isinstance(problem, VerificationError):
            self._failed(member, item, problem.message, bad=True)
        elif problem is not None:  # not the worker's fault: the same would happen to any proof
            item.failed.append((member.worker.name, reason_of(problem)))
            self._close(item)
            self._give_up(item)
        else:
            member.proofs += 1
            member.in_a_row = 0
            self._history.append((now - member.since, item.updates))
            self._close(item)

    def _judge(self, item: Item, proved: Proved, member: Member) -> Exception | None:
        """What is wrong with a proof, or with keeping it."""
        try:
            self._accept(item, proved, member.worker.name)
        except Exception as error:  # noqa: BLE001 - a proof that cannot be kept is told with its reason, never silence
            return error
        return None

    def _release(self, member: Member) -> Item | None:
        """The worker's try is over; its batch, if it still wanted it."""
        item = member.item
        member.task = member.item = None
        member.stage, member.fraction = "", 0.0
        member.busy.end()
        if item is not None:
            item.running.remove(member)
        return item

    def _failed(self, member: Member, item: Item, reason: str, *, bad: bool = False) -> None:
        member.failures += 1
        member.in_a_row += 1
        member.last_failure = reason
        if (bad or member.in_a_row >= ROW_OF_FAILURES) and self._others(member):
            member.state = "set aside"
        self._try_again(item, member, reason)

    def _lost(self, member: Member, report: Lost) -> None:
        item = self._release(member)
        member.state, member.gone = "lost", report.for_good
        member.failures += 1
        member.last_failure = report.reason
        if item is not None:
            self._try_again(item, member, report.reason, back=not report.for_good)

    def _try_again(self, item: Item, member: Member, reason: str, *, back: bool = False) -> None:
        """Leave the batch in the queue while somebody may do better; ``back``: this worker comes back new."""
        item.failed.append((member.worker.name, reason))
        LOG.warning("batch %d: a try on %s came to nothing: %s", item.number, member.worker.name, reason)
        if item.running:
            return
        fresh = any(other.usable and not item.failed_on(other) for other in self.members)
        if len(item.failed) >= MAX_TRIES or not (fresh or back):
            self._close(item)
            self._give_up(item)

    def _close(self, item: Item) -> None:
        """No more tries at this batch."""
        self.items.pop(item.number, None)
        for member in tuple(item.running):
            item.running.remove(member)
            member.item = None
            member.worker.cancel()

    def _others(self, member: Member) -> bool:
        return any(other.usable for other in self.members if other is not member)
