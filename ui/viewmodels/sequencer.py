"""The sequencer panel without its widgets: its figures, grouped, with a tone where a figure needs attention."""

from __future__ import annotations

from app.snapshot.views import SequencerView, Snapshot
from engine.exchange.config import VenueConfig
from engine.units import SECOND
from ui.viewmodels.account import Figure
from ui.viewmodels.wording import Tone, bytes_text, count_text, micros_text, plural, seconds_text, short_hex

ACK_TIP = "from submission until durable and applied: median and 99th percentile"


def figures(snapshot: Snapshot, config: VenueConfig) -> tuple[Figure, ...]:
    """The sequencer's health, most watched first."""
    view = snapshot.sequencer
    return (
        Figure("Sequence number", count_text(view.sequence), "text_strong", "inputs applied since genesis"),
        Figure("Inputs", f"{view.inputs_per_second:,.0f} /s", "text", "inputs applied per second of real time"),
        Figure("Queue", f"{count_text(view.queue_depth)} of {count_text(view.queue_limit)}", queue_tone(view)),
        Figure("Ack p50, p99", ack_words(view), "text" if view.ack_p99_us else "text_weak", ACK_TIP),
        Figure("Journal lag", plural(view.journal_lag, "input"), "text", "accepted but not yet on disk"),
        Figure("Journal", bytes_text(view.journal_bytes), "text", "size on disk"),
        Figure(
            "Open batch",
            f"#{view.open_batch}, {age_words(view, config)}",
            "text_strong",
            "closes at this age at the latest",
        ),
        Figure("Open batch size", size_words(view, config), "text", "closes when either limit is reached"),
        Figure("State root", short_hex(view.root), "text", view.root),
    )


def ack_words(view: SequencerView) -> str:
    """Half and 99 of 100 of the commands since the start were acknowledged within these times."""
    if not view.ack_p99_us:
        return "no commands yet"
    return f"{micros_text(view.ack_p50_us)}, {micros_text(view.ack_p99_us)}"


def queue_tone(view: SequencerView) -> Tone:
    """Half full warns, nine tenths is danger: beyond the limit commands are refused."""
    if view.queue_depth * 10 >= view.queue_limit * 9:
        return "danger"
    return "warn" if view.queue_depth * 2 >= view.queue_limit else "text"


def size_words(view: SequencerView, config: VenueConfig) -> str:
    """Transactions and accounts of the open batch against the limits that close it."""
    transactions = f"{view.open_batch_transactions} of {config.batch_max_transactions} tx"
    return f"{transactions}, {view.open_batch_accounts} of {config.batch_max_accounts} accounts"


def age_words(view: SequencerView, config: VenueConfig) -> str:
    """Age of the open batch against the age that closes it."""
    age = seconds_text(max(0, view.open_batch_age) / SECOND)
    return f"{age} of {seconds_text(config.batch_max_age / SECOND)}"


def open_batch_fill(view: SequencerView, config: VenueConfig) -> float:
    """How near the open batch is to closing, 0 to 1: the largest of its three limits' shares."""
    shares = (
        view.open_batch_transactions / config.batch_max_transactions,
        view.open_batch_accounts / config.batch_max_accounts,
        view.open_batch_age / config.batch_max_age,
    )
    return max(0.0, min(1.0, max(shares)))


def l1_figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """What L1 holds of it: the contract's root and its last batch, and how far L1 is behind."""
    chain, view = snapshot.l1, snapshot.sequencer
    behind = max(0, view.open_batch - 1 - chain.last_batch)
    return (
        Figure("L1 block", count_text(chain.block), "text", f"newest block of {chain.where}"),
        Figure("Last batch on L1", f"#{chain.last_batch}", "proved", "accepted by the contract"),
        Figure(
            "Not on L1 yet", "nothing" if not behind else batches_words(behind), "pending" if behind else "text_weak"
        ),
        Figure("Contract's root", short_hex(chain.contract_root), "text", chain.contract_root),
    )


def batches_words(count: int) -> str:
    """``1 batch``, ``4 batches``."""
    return "1 batch" if count == 1 else f"{count:,} batches"
