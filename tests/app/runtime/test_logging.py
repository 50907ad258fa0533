"""The log is a bounded file of its owner's; nobody waits for it; what nobody caught is in it, and no secrets are."""

from __future__ import annotations

import logging
import os
import queue
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app import cli
from app.commands.registry import Command, Options, Registry
from app.paths import ROOT, BadDataFolder, open_paths
from app.runtime import logging as app_logging
from app.runtime.logging import CONTINUED, LogFile, Sender, logging_to

LOG = logging.getLogger("app.test")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "proofline.log"


def test_messages_of_the_level_are_written_with_time_thread_and_process(path: Path) -> None:
    with logging_to(path, "info", what="run"):
        LOG.debug("too quiet")
        LOG.info("it began with %d", 7)
        logging.getLogger("numba").info("a library's chatter")
    lines = path.read_text().splitlines()
    assert [line.split(": ", 1)[1].split(":")[0] for line in lines] == ["run started", "it began with 7", "run ended"]
    assert f" INFO    {os.getpid()} MainThread app.test: it began with 7" in lines[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("level", "told"), [("debug", "diwe"), ("info", "iwe"), ("warning", "we"), ("error", "e")])
def test_the_level_is_the_least_that_is_told(path: Path, level: str, told: str) -> None:
    with logging_to(path, level):
        for name, method in (("d", LOG.debug), ("i", LOG.info), ("w", LOG.warning), ("e", LOG.error)):
            method("message %s", name)
    assert [line[-1] for line in path.read_text().splitlines() if "message" in line] == list(told)


def test_warnings_go_to_the_terminal_too(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(path, "info"):
        LOG.info("quiet")
        LOG.warning("loud")
    assert capsys.readouterr().err == "WARNING app.test: loud\n"


def test_everything_is_as_before_when_it_ends(path: Path) -> None:
    def state() -> tuple[object, ...]:
        root = logging.getLogger()
        return (list(root.handlers), root.level, LOG.getEffectiveLevel(), sys.excepthook, threading.excepthook,
                sys.unraisablehook, threading.active_count())  # fmt: skip

    before = state()
    with logging_to(path, "debug"):
        assert state() != before
    assert state() == before


def test_secrets_are_out_and_further_lines_are_marked(path: Path) -> None:
    node = "http://me:hunter2secret@127.0.0.1:8545/v3/0123456789abcdef"
    with logging_to(path, "info", [node]):
        LOG.info("asking %s", node)
        LOG.info("first\n2026-01-01 00:00:00.000 INFO forged")
        try:
            raise ValueError(f"url: /v3/0123456789abcdef of {node}")
        except ValueError:
            LOG.exception("it broke")
    text = path.read_text()
    assert "hunter2secret" not in text
    assert "0123456789abcdef" not in text
    assert "asking http://127.0.0.1:8545/...\n" in text
    assert f"first{CONTINUED}2026-01-01 00:00:00.000 INFO forged" in text
    assert f"{CONTINUED}ValueError: url: /... of http://127.0.0.1:8545/..." in text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_thread_dies_of_is_in_the_log(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def die() -> None:
        raise RuntimeError("out of paper")

    with logging_to(path, "error"):
        thread = threading.Thread(target=die, name="printer")
        thread.start()
        thread.join(20)
    text = path.read_text()
    assert "thread printer died" in text
    assert f"{CONTINUED}RuntimeError: out of paper" in text
    assert "ERROR proofline" not in capsys.readouterr().err, "the hook that was there tells the terminal"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_log_says_why_an_inspectors_work_ended(path: Path) -> None:
    from ui.panels.inspector.job import NO_OUTCOME, Job

    job, outcome, pause = Job(), None, threading.Event()
    with logging_to(path, "info"):
        assert job.start("verify", lambda: 1 // 0)
        for _ in range(1000):
            if (outcome := job.take()) is not None:
                break
            pause.wait(0.02)
    assert outcome is not None
    assert outcome.error == NO_OUTCOME == "it stopped unexpectedly; the log has the details"
    assert "thread inspector verify died" in path.read_text()
    assert f"{CONTINUED}ZeroDivisionError" in path.read_text()


def test_what_ends_the_program_is_in_the_log_and_on_the_terminal(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from app.runtime.logging import logging_to\n"
        "with logging_to(Path(sys.argv[1]) / 'a.log', 'info'): raise KeyError('venue')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.count("KeyError: 'venue'") == 1, "once, by Python itself"
    text = (tmp_path / "a.log").read_text()
    assert "CRITICAL" in text
    assert f"{CONTINUED}KeyError: 'venue'" in text


def test_the_file_rotates_and_stays_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_logging, "MAX_BYTES", 2000)
    with logging_to(path, "info"):
        for number in range(400):
            LOG.info("message %03d %s", number, "x" * 50)
            if number % 100 == 99:  # let the writer come round: the queue is bounded
                _drained()
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["proofline.log", *[f"proofline.log.{n}" for n in range(1, 5)]]
    assert all(file.stat().st_size <= 2000 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert "message 399" in path.read_text()


def _drained() -> None:
    sender = next(handler for handler in logging.getLogger().handlers if isinstance(handler, Sender))
    waiting = threading.Event()
    for _ in range(1000):
        if sender.queue.empty():
            return
        waiting.wait(0.01)
    raise AssertionError("the writer stands still")


def test_two_processes_share_a_file_through_each_others_rotation(path: Path) -> None:
    path.parent.mkdir()
    record = logging.LogRecord("app", logging.INFO, "", 0, "%s", ("from me",), None)
    mine, theirs = LogFile(path), LogFile(path)
    try:
        mine.emit(record)
        theirs.doRollover()
        mine.emit(record)
        assert path.read_text() == "from me\n", "not into the file that was moved away"
        path.unlink()
        mine.emit(record)
        assert path.read_text() == "from me\n"
    finally:
        mine.close()
        theirs.close()


def test_nobody_waits_for_the_writer_and_the_dropped_are_counted() -> None:
    messages: queue.Queue[logging.LogRecord] = queue.Queue(2)
    sender = Sender(messages)
    for number in range(5):
        sender.handle(logging.LogRecord("app", logging.INFO, "", 0, f"m{number}", (), None))
    assert [messages.get_nowait().getMessage() for _ in range(2)] == ["m0", "m1"]
    sender.handle(logging.LogRecord("app", logging.INFO, "", 0, "m5", (), None))
    assert [messages.get_nowait().getMessage() for _ in range(2)] == [
        "3 messages were dropped: the log did not keep up",
        "m5",
    ]


def test_a_log_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with (
        pytest.raises(BadDataFolder, match=r"the log .*proofline\.log cannot be written"),
        logging_to(tmp_path / "logs" / "proofline.log", "info"),
    ):
        pass


@pytest.mark.parametrize("place", ["flag", "variable", "file"])
def test_the_log_level_is_a_setting_of_every_command_that_logs(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def speak(options: Options) -> int:
        LOG.debug("whispered")
        return 0

    registry = Registry()
    registry.commands.add(Command(name="speak", help="", run=speak, logs=True))
    arguments = ["speak", "--data", str(tmp_path)]
    assert cli.run(arguments, registry) == 0
    log = open_paths(tmp_path).log
    assert "whispered" not in log.read_text()
    if place == "flag":
        arguments += ["--log-level", "debug"]
    elif place == "variable":
        monkeypatch.setenv("PROOFLINE_LOG_LEVEL", "debug")
    else:
        assert cli.run(["settings", "set", "log-level", "debug", "--data", str(tmp_path)]) == 0
    assert cli.run(arguments, registry) == 0
    assert "whispered" in log.read_text()
    assert cli.run(["doctor", "--data", str(tmp_path)]) == 0
    assert f"log: {log} (mode 0600" in capsys.readouterr().out
