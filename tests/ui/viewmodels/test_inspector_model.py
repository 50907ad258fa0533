"""What the inspector says of a batch, of its file and of a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.proving.check import check_proof
from app.snapshot.views import Verdict
from engine.proving.coverage import COVERED, NOT_COVERED
from engine.proving.summary import ProofSummary, summarise
from engine.units import format_decimal
from tests.support.sample_proof import DEPOSIT, NUMBER, OWNER, proved_view, sample_proof
from tests.support.sample_snapshot import NOW, batch_view
from ui.viewmodels import inspector

VIEW = batch_view(NUMBER, "final", NOW)


@pytest.fixture(scope="module")
def summary() -> ProofSummary:
    return summarise(sample_proof()[1])


def values(figures: tuple) -> dict[str, str]:
    return {figure.label: figure.value for figure in figures}


def test_the_record_says_status_cost_and_who_proved() -> None:
    shown = values(inspector.batch_figures(VIEW))
    assert shown["Contents"] == "374 transactions, 13 accounts"
    assert shown["Proved by"] == "in this process"
    waiting = values(inspector.batch_figures(batch_view(45, "proving", NOW, attempts=1, failure="killed")))
    assert (waiting["Proof"], waiting["Attempts"]) == ("–", "1; killed")
    assert [name for name, _ in inspector.batch_hashes(VIEW)] == ["old root", "new root"]


def test_l1_says_what_each_transaction_cost() -> None:
    shown = values(inspector.l1_figures(VIEW))
    assert (shown["Block"], shown["Gas"]) == ("1,123", f"{VIEW.gas:,} gas")
    assert shown["Gas per transaction"] == f"{VIEW.gas / 374:,.0f} gas"
    assert shown["Calldata"] == "270 kB"
    bars = inspector.l1_bars(VIEW)
    assert [name for name, _, _, _ in bars][:2] == ["1. opens the proof", "2. checks queries"]
    assert [share for _, _, share, _ in bars][1] == 1.0
    assert [name for name, _ in inspector.l1_hashes(VIEW)] == [
        "1. open",
        "2. check",
        "3. check",
        "4. register",
        "5. update",
    ]
    alone = replace(VIEW, l1_steps=())
    assert [name for name, _ in inspector.l1_hashes(alone)] == ["update"]
    assert values(inspector.l1_figures(batch_view(45, "proving", NOW))) == {"L1": "not posted yet"}


def test_the_claim_is_whole(summary: ProofSummary) -> None:
    batch, _ = sample_proof()
    hashes = dict(inspector.claim_hashes(summary))
    assert hashes.pop("all 52 words") == " ".join(str(word) for word in summary.public_inputs)
    assert list(hashes) == ["old root", "new root", "config hash", "outputs hash", "statement id", "parameters"]
    assert all(len(value) == 66 for value in hashes.values())
    (row,) = inspector.flow_rows(summary)
    assert [cell.text for cell in row.cells[:3]] == ["deposit", "16", format_decimal(DEPOSIT, 6)]
    assert row.cells[3].tip == f"0x{OWNER.hex()}"
    figures = values(inspector.claim_figures(summary))
    assert (figures["Batch number"], figures["Venue"]) == (str(batch.number), summary.config.name)


def test_parameters_tables_and_commitments_are_named(summary: ProofSummary) -> None:
    shown = values(inspector.parameter_figures(summary))
    assert shown["Profile"] == summary.profile.name
    assert shown["Queries"] == str(summary.parameters.queries)
    assert [figure.label for figure in inspector.table_figures(summary)] == [
        "Table poseidon", "Table path", "Table update", "Table range",
    ]  # fmt: skip
    names = [name for name, _, _ in inspector.commitment_hashes(summary)]
    assert names[:3] == ["main tree", "auxiliary tree", "quotient tree"]
    assert names[3].startswith("FRI 1, by ")
    assert "final polynomial" in names
    assert "query nonce" in names


def test_bars_are_of_the_whole(summary: ProofSummary) -> None:
    parts = inspector.part_bars(summary)
    assert max(share for _, _, share, _ in parts) == 1.0
    assert sum(int(words.removesuffix(" B").replace(",", "")) for _, words, _, _ in parts) == summary.size
    terms = inspector.security_bars(summary.security.terms)
    assert terms[0][0].endswith(", the weakest")
    assert f"{summary.security.proven_bits:.1f} bits proven" in inspector.security_words(summary)


def test_a_file_that_is_not_the_stored_one_is_told(summary: ProofSummary) -> None:
    view = proved_view(VIEW)
    assert inspector.file_words(view, summary)[1] == "text_weak"
    words, tone = inspector.file_words(replace(view, proof_file="/venue/proofs/00.proof"), summary)
    assert (words.startswith("The file was changed after it was stored"), tone) == (True, "danger")
    words, tone = inspector.file_words(replace(view, new_root="00" * 32), summary)
    assert ("other roots" in words, tone) == (True, "danger")


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        ("open", {}, "still open"),
        ("sequenced", {}, "waiting for a worker"),
        ("proving", {"proving_stage": "fri", "progress": 0.8}, "fri, 80 % done"),
        ("failed", {"attempts": 2, "failure": "killed"}, "Attempt 2 failed: killed."),
    ],
)
def test_why_there_is_no_proof_yet(status: str, more: dict, words: str) -> None:
    assert words in inspector.missing_words(batch_view(4, status, NOW, **more))


def test_verdicts_say_stage_reason_and_time() -> None:
    _, file = sample_proof()
    accepted = check_proof(file)
    words, tone = inspector.verdict_words(accepted)
    assert (accepted.accepted, tone) == (True, "proved")
    assert words.startswith("Accepted by this machine's verifier in ")
    assert f"{accepted.bits_proven:.1f} bits proven" in words
    changed = bytearray(file)
    changed[-1] ^= 1
    refused = check_proof(bytes(changed))
    assert (refused.accepted, refused.stage) == (False, "fri")
    assert inspector.verdict_words(Verdict(False, 0.02, "fri", "layer 2 is off")) == (
        "Refused at fri after 20 ms: layer 2 is off.", "danger",
    )  # fmt: skip
    assert check_proof(b"").stage == "encoding"


def test_an_unread_file_does_not_undo_what_l1_has() -> None:
    gone = inspector.unread_words(VIEW, "gone")
    assert gone == "The proof file cannot be inspected: gone. The batch is on L1, which no longer needs the file."
    assert "not on L1 yet" in inspector.unread_words(batch_view(4, "proved", NOW), "gone")


def test_the_exported_file_says_what_it_is() -> None:
    view = proved_view(VIEW)
    digest = view.proof_file.rpartition("/")[2]
    assert inspector.export_name(view) == f"batch-41-{digest[:12]}.proof"
    assert inspector.export_name(replace(view, proof_file="")) == "batch-41.proof"


def test_coverage_is_all_of_it() -> None:
    lines = [text for text, _ in inspector.coverage_lines()]
    assert [f"+ {text}" for text in COVERED] == lines[1 : 1 + len(COVERED)]
    assert [f"- {text}" for text in NOT_COVERED] == lines[-len(NOT_COVERED) :]
