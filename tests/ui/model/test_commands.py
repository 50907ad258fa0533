"""Commands as data: what they do, when they cannot be done and why, and how they are found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import UnknownName
from tests.support.sample_snapshot import SampleEngine, sample_snapshot, sample_threads
from tests.support.stand_in_desk import WINDOW, StandInDesk
from ui.model.command_set import CommandSet, DuplicateCommand
from ui.model.commands import Command, desk_commands
from ui.model.contexts import SPEEDS, Context, read_context
from ui.model.panels import PANELS, PanelSpec

CONFIG = SampleEngine().config


def commands_of(desk: StandInDesk) -> CommandSet:
    return CommandSet(desk_commands(PANELS, CONFIG.markets, ("normal", "roomy")), desk)


def context_of(**differs: object) -> Context:
    return read_context(sample_snapshot(**differs), CONFIG, WINDOW)


@pytest.mark.parametrize(
    ("command_id", "asked"),
    [
        ("desk.palette", ("open_palette", ())),
        ("view.go.ladder", ("show_panel", ("ladder",))),
        ("view.toggle.prover", ("toggle_panel", ("prover",))),
        ("view.inspect", ("inspect", ())),
        ("view.density.roomy", ("use_density", ("roomy",))),
        ("market.2", ("set_market", (2,))),
        ("clock.slower", ("step_speed", (-1,))),
        ("clock.real", ("set_speed", (1.0,))),
        ("trade.cancel_all", ("cancel_all_orders", ())),
        ("trade.close", ("close_position", ())),
        ("trade.withdraw", ("open_transfer", ("withdraw",))),
        ("trade.claim", ("claim", ())),
    ],
)
def test_a_command_asks_the_desk_for_one_thing(command_id: str, asked: tuple) -> None:
    desk = StandInDesk()
    assert commands_of(desk).run(command_id)
    assert desk.asked == [asked]


@pytest.mark.parametrize(
    ("command_id", "differs", "reason"),
    [
        ("trade.cancel_all", {"orders": 0}, "no orders are resting"),
        ("trade.close", {"position": 0}, "no position in BTC-USD"),
        ("trade.deposit", {"wallet": 0}, "the L1 wallet is empty"),
        ("trade.withdraw", {"withdrawable": 0}, "no free collateral"),
        ("trade.claim", {"claimable": 0}, "nothing to claim on L1"),
        ("trade.close", {"has_account": False}, "there is no account yet"),
        ("trade.cancel_all", {"stopped": "the sequencer has stopped"}, "the sequencer has stopped"),
        ("clock.pause", {"stopped": "the venue is not running"}, "the venue is not running"),
        ("clock.faster", {"speed": SPEEDS[-1]}, "this is the fastest speed"),
        ("clock.slower", {"speed": 0.5}, "this is the slowest speed"),
        ("clock.real", {"speed": 1.0}, "the clock already runs in real time"),
        ("view.inspect", {"has_proof": False}, "no batch has been proved yet"),
    ],
)
def test_what_cannot_be_done_says_why_and_is_not_done(command_id: str, differs: dict, reason: str) -> None:
    desk = StandInDesk(**differs)
    commands = commands_of(desk)
    assert not commands.run(command_id)
    assert desk.asked == [("refuse", (f"{commands[command_id].title}: {reason}",))]


def test_everything_can_be_done_when_nothing_stands_against_it() -> None:
    desk = StandInDesk()
    assert [command.command_id for command in commands_of(desk) if command.enabled(desk.now)] == []


def test_the_context_is_what_the_snapshot_says() -> None:
    user = sample_snapshot().user
    assert user is not None
    context = context_of()
    assert (context.symbol, context.stopped, context.orders) == ("BTC-USD", "", len(user.orders))
    assert context.position == user.account.size(1)
    assert (context.wallet, context.claimable) == (user.l1_token_balance, user.l1_claimable)
    assert context.has_proof
    assert not context_of(user=None).has_account
    assert not context_of(batches=()).has_proof
    too_little = replace(user, withdrawable=CONFIG.min_withdrawal - 1)
    assert context_of(user=too_little).withdrawable == 0


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        (None, "the venue is still starting"),
        (sample_snapshot(threads=()), "the venue is not running"),
        (
            sample_snapshot(sequencer=replace(sample_snapshot().sequencer, halted="the disk is full")),
            "the sequencer has halted: the disk is full",
        ),
        (
            sample_snapshot(threads=tuple(replace(t, alive=t.name != "sequencer") for t in sample_threads())),
            "the sequencer has stopped",
        ),
        (sample_snapshot(threads=sample_threads("out of memory")), ""),  # the prover died: the venue trades on
    ],
)
def test_a_stopped_venue_says_what_stopped_it(snapshot: object, reason: str) -> None:
    assert read_context(snapshot, CONFIG, WINDOW).stopped == reason  # type: ignore[arg-type]


def test_toggles_know_what_is_on() -> None:
    desk = StandInDesk()
    on = {c.command_id for c in commands_of(desk) if c.checked is not None and c.checked(desk.now)}
    assert on == {"view.toggle.chart", "view.density.normal", "market.1"}


def test_taken_ids_and_keys_and_unknown_commands_are_refused() -> None:
    desk = StandInDesk()
    one = Command("view.one", "One", "View", lambda desk: desk.quit(), "Ctrl+L")
    with pytest.raises(DuplicateCommand, match="exists"):
        CommandSet((one, replace(one, keys="")), desk)
    with pytest.raises(DuplicateCommand, match=r"Ctrl\+L belongs to view.one"):
        CommandSet((one, replace(one, command_id="view.two")), desk)
    with pytest.raises(UnknownName, match=r"view\.one"):
        CommandSet((one,), desk).run("nothing")


def test_search_finds_every_word_anywhere_and_ranks_titles_first() -> None:
    commands = commands_of(StandInDesk())
    assert [c.command_id for c in commands.search("dark")] == ["view.theme"]
    assert [c.command_id for c in commands.search("clock fast")] == ["clock.faster"]
    assert commands.search("lad")[0].command_id == "view.go.ladder"
    assert len(commands.search("")) == len(list(commands))
    assert commands.search("zzz") == []


def test_a_panel_has_its_commands_by_its_registry_line_alone() -> None:
    extra = PanelSpec("mev", "MEV lab", "nowhere:Nothing", "machine", keys="Ctrl+Shift+M")
    found = {c.command_id: c for c in desk_commands((*PANELS, extra), CONFIG.markets, ())}
    assert (found["view.go.mev"].title, found["view.go.mev"].keys) == ("Go to MEV lab", "Ctrl+Shift+M")
    assert found["view.toggle.mev"].title == "Show MEV lab"
