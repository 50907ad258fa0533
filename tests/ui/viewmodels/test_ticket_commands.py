"""Sending and hearing back: ids, cursor, refusals, lateness."""

from __future__ import annotations

from engine.errors import ProtocolError
from engine.sequencer.events import Accepted, Event, Rejected
from engine.sequencer.inputs import CancelAll
from tests.support.sample_snapshot import SampleEngine
from ui.viewmodels.ticket_acks import PATIENCE_SECONDS, new_client_id
from ui.viewmodels.ticket_commands import CommandSender


def make(client_id: str) -> CancelAll:
    return CancelAll(account=16, client_id=client_id)


def accepted(client_id: str) -> Event:
    return Accepted(sequence=1, time=0, account=16, client_id=client_id)


def test_ids_never_repeat() -> None:
    assert len({new_client_id() for _ in range(1000)}) == 1000


def test_an_answer_finds_its_command() -> None:
    engine = SampleEngine()
    sender = CommandSender(engine)
    first, refused = sender.send(make, "first", 1.0)
    second, _ = sender.send(make, "second", 1.0)
    assert refused is None
    assert [command.client_id for _, command in engine.asked] == [first, second]
    engine.events += [accepted("somebody else"), accepted(second)]
    answers = sender.poll(1.1)
    assert [(answer.client_id, answer.accepted, answer.words) for answer in answers] == [
        (second, True, "second: accepted")
    ]
    assert sender.waits_for(first)
    assert not sender.waits_for(second)
    assert sender.poll(1.2) == []


def test_a_refusal_keeps_its_field_and_limit() -> None:
    engine = SampleEngine()
    sender = CommandSender(engine)
    client_id, _ = sender.send(make, "order", 0.0)
    engine.events.append(
        Rejected(
            sequence=2, time=0, account=16, client_id=client_id, code="insufficient_margin",
            message="initial margin would be short by 1.00", field="lots", limit="12",
        )
    )  # fmt: skip
    (answer,) = sender.poll(0.1)
    assert (answer.accepted, answer.field, answer.limit) == (False, "lots", "12")
    assert sender.waiting == 0


def test_a_full_queue_answers_at_once() -> None:
    engine = SampleEngine()
    engine.refusal = ProtocolError("the queue holds 4096 commands", field="queue", limit=4096)
    sender = CommandSender(engine)
    _, answer = sender.send(make, "order", 0.0)
    assert answer is not None
    assert (answer.accepted, answer.words, answer.limit) == (False, "the queue holds 4096 commands", "4096")
    assert sender.waiting == 0


def test_answers_of_the_past_are_not_read() -> None:
    engine = SampleEngine()
    engine.events = [accepted("x")] * 5
    sender = CommandSender(engine)
    sender.send(make, "order", 0.0)
    assert sender.poll(0.1) == []
    assert sender.waiting == 1


def test_silence_ends_with_words() -> None:
    sender = CommandSender(SampleEngine())
    sender.send(make, "order", 100.0)
    assert sender.poll(100.0 + PATIENCE_SECONDS) == []
    (answer,) = sender.poll(101.0 + PATIENCE_SECONDS)
    assert not answer.accepted
    assert "no acknowledgement in 11 s" in answer.words
