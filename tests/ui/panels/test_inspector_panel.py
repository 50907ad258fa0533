"""The proof inspector on screen: reads, verifies, exports, and lives on when the file does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel

from app.storage.proof_files import ProofFileError
from engine.proving.coverage import COVERED, NOT_COVERED
from tests.support.sample_proof import NUMBER, proved_view, sample_proof
from tests.support.sample_snapshot import SampleEngine
from ui.panels.inspector.panel import NOT_CHECKED, READING, InspectorPanel


@pytest.fixture
def panel(qtbot, theme, engine: SampleEngine) -> InspectorPanel:
    engine.proof = sample_proof()[1]
    assert engine.current is not None
    batches = tuple(proved_view(view) if view.number == NUMBER else view for view in engine.current.batches)
    engine.update(batches=batches)
    made = InspectorPanel(engine, theme)
    qtbot.addWidget(made)
    made.resize(1000, 640)
    made.show()
    made.update_snapshot(engine.snapshot())
    return made


@pytest.fixture
def settled(qtbot, panel: InspectorPanel) -> Callable[[], str]:
    """Waits for the outcome of what runs; the words then on screen."""

    def wait() -> str:
        qtbot.waitUntil(lambda: panel.on_frame(0.0), timeout=60_000)
        assert not panel.busy
        return panel.verdict.text()

    return wait


def test_without_a_batch_it_offers_the_newest_proof(panel: InspectorPanel, engine: SampleEngine) -> None:
    assert panel.state.kind == "empty"
    assert panel.state.action is not None
    panel.state.action[1]()
    assert panel.number == 43
    panel.cancel()
    assert engine.current is not None
    fresh = InspectorPanel(engine, panel.theme)
    engine.update(batches=engine.current.batches[:2])
    fresh.update_snapshot(engine.snapshot())
    assert (fresh.state.kind, fresh.state.action) == ("empty", None)
    fresh.deleteLater()


def test_it_shows_record_file_and_coverage(panel: InspectorPanel, settled: Callable[[], str]) -> None:
    panel.inspect(NUMBER)
    assert panel.verdict.text() == READING
    assert panel.page.sections["Claim"].isHidden(), "the file is not read yet"
    assert panel.page.batch.value("Contents") == "374 transactions, 13 accounts"
    assert settled() == NOT_CHECKED
    assert panel.page.parameters.value("Profile") == "quick"
    assert len(panel.page.security.rows) >= 8
    words = [label.text() for label in panel.findChildren(QLabel)]
    assert all(f"+ {text}" in words for text in COVERED)
    assert all(f"- {text}" in words for text in NOT_COVERED)
    panel.page.claim_hashes.button("new root").click()
    assert QApplication.clipboard().text() == f"0x{panel.batch.new_root}"  # type: ignore[union-attr]
    panel.page.digest.button("SHA-256").click()
    assert QApplication.clipboard().text() in panel.batch.proof_file  # type: ignore[union-attr]


@pytest.mark.parametrize("width", [440, 640, 1000])
def test_sections_are_as_high_as_their_words(panel: InspectorPanel, settled: Callable[[], str], width: int) -> None:
    panel.inspect(NUMBER)
    settled()
    panel.resize(width, 640)
    QApplication.processEvents()
    for name, section in panel.page.sections.items():
        assert section.width() <= width, name
        assert section.height() >= section.layout().totalHeightForWidth(section.width()), name
    panel.page.jump_to("Sizes")
    assert panel.page.verticalScrollBar().value() > 0


def test_verifying_runs_off_the_window_thread(panel: InspectorPanel, engine: SampleEngine, settled) -> None:
    panel.inspect(NUMBER)
    settled()
    threads: list[threading.Thread] = []
    plain = engine.proof_file

    def read(number: int) -> bytes:
        threads.append(threading.current_thread())
        return plain(number)

    engine.proof_file = read  # type: ignore[method-assign]
    panel.verify.click()
    assert not panel.verify.isEnabled()
    assert not panel.export.isEnabled()
    assert settled().startswith("Accepted by this machine's verifier in ")
    assert panel.verdict.property("tone") == "proved"
    assert threads[0] is not threading.main_thread()
    assert panel.verify.isEnabled()


def test_a_flipped_byte_is_refused_with_its_stage(panel: InspectorPanel, engine: SampleEngine, settled) -> None:
    flipped = bytearray(engine.proof)
    flipped[-1] ^= 1
    engine.proof = bytes(flipped)
    panel.inspect(NUMBER)
    assert settled() == NOT_CHECKED, "it decodes"
    assert "changed after it was stored" in panel.page.file.text()
    panel.verify.click()
    assert settled().startswith("Refused at fri after ")
    assert panel.verdict.property("tone") == "danger"


@pytest.mark.parametrize(
    ("refusal", "proof", "words"),
    [
        (ProofFileError("/venue/a.proof cannot be read: No such file or directory"), b"", "No such file"),
        (None, b"PLBATCH2 and then something else", "the header's length is wrong"),
        (None, b"", "this is not a proof file"),
    ],
)
def test_a_file_that_is_gone_or_broken_is_told_and_the_rest_stays(
    panel: InspectorPanel, engine: SampleEngine, settled, refusal: ProofFileError | None, proof: bytes, words: str
) -> None:
    engine.refusal, engine.proof = refusal, proof
    panel.inspect(NUMBER)
    told = settled()
    assert words in told
    assert "The batch is on L1, which no longer needs the file." in told
    assert panel.state.kind == "live"
    assert panel.page.batch.value("Contents") == "374 transactions, 13 accounts"
    assert panel.page.sections["Claim"].isHidden()
    panel.verify.click()
    assert settled() != NOT_CHECKED


def test_export_writes_all_of_it_or_says_why_not(
    panel: InspectorPanel, engine: SampleEngine, settled, tmp_path: Path
) -> None:
    panel.inspect(NUMBER)
    settled()
    panel.start_export(tmp_path / "out.proof")
    assert str(tmp_path / "out.proof") in settled()
    assert (tmp_path / "out.proof").read_bytes() == engine.proof
    panel.start_export(tmp_path / "nowhere" / "out.proof")
    assert settled().startswith(f"Not exported: {tmp_path / 'nowhere' / 'out.proof'} cannot be written: No such")
    panel.start_export(tmp_path)
    assert "cannot be written" in settled()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.proof"], "nothing half written is left"


def test_the_export_button_asks_where_and_suggests_a_name(
    panel: InspectorPanel, engine: SampleEngine, settled, tmp_path: Path
) -> None:
    panel.inspect(NUMBER)
    settled()
    panel.export.click()
    (dialog,) = panel.findChildren(QFileDialog)
    assert Path(dialog.selectedFiles()[0]).name.startswith(f"batch-{NUMBER}-")
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("mine.proof")
    dialog.accept()
    settled()
    assert (tmp_path / "mine.proof").read_bytes() == engine.proof


def test_another_batch_or_the_end_forgets_what_runs(
    qtbot, panel: InspectorPanel, engine: SampleEngine, settled
) -> None:
    go_on = threading.Event()
    plain = engine.proof_file
    engine.proof_file = lambda number: plain(number) if go_on.wait(30) else b""  # type: ignore[method-assign]
    panel.inspect(NUMBER)
    assert panel.busy
    forgotten = [thread for thread in threading.enumerate() if thread.name == "inspector read"]
    left: list[int] = []
    panel.left.connect(lambda: left.append(1))
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert (left, panel.busy) == ([1], False)
    panel.inspect(45)
    assert panel.verdict.text() == "A worker is proving this batch: quotient, 58 % done."
    assert not panel.verify.isEnabled()
    go_on.set()
    for thread in forgotten:
        thread.join(30)
    assert not panel.on_frame(0.0), "what was forgotten is not heard"
    assert panel.verdict.text().startswith("A worker is proving")


def test_a_batch_is_read_once_it_is_proved_and_kept_when_it_leaves_the_view(
    panel: InspectorPanel, engine: SampleEngine, settled
) -> None:
    assert engine.current is not None
    panel.inspect(45)
    proved = tuple(
        proved_view(replace(view, status="proved")) if view.number == 45 else view for view in engine.current.batches
    )
    engine.update(batches=proved)
    panel.update_snapshot(engine.snapshot())
    assert panel.verdict.text() == READING
    assert settled() == NOT_CHECKED
    engine.update(batches=engine.current.batches[:1])
    panel.update_snapshot(engine.snapshot())
    assert panel.name.text().startswith("Batch 45, proved")
    panel.inspect(12345)
    assert panel.state.kind == "empty"


def test_newer_and_older(panel: InspectorPanel) -> None:
    panel.inspect(46)
    panel.older.click()
    assert panel.number == 45
    panel.newer.click()
    panel.newer.click()
    panel.newer.click()
    assert panel.number == 47, "the newest has no newer one"
    assert "still open" in panel.verdict.text()
