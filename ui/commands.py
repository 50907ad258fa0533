"""The commands that need a window: the desk, its pictures, and the benches of the window.

Imports are inside the commands: the start window must be on screen before kernels are loaded, and the command line is
parsed before either.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands import run as run_command
from app.commands.registry import Command, Options, Parser
from app.paths import open_paths
from app.proving.choice import choice_of
from engine.errors import ProtocolError
from engine.units import SECOND
from ui.display import missing_display

if TYPE_CHECKING:
    from app.venue.facade import Engine
    from app.venue.session import Session

PICTURE_FLOW_SECONDS = 120


def desk(options: Options) -> int:
    """Open the window; without a display, play the round trip on the terminal instead."""
    choice = choice_of(options)
    if why := missing_display():
        return _without_display(options, why)
    from ui.start import run

    theme = "" if options.theme == "remembered" else options.theme
    return run(open_paths(options.data), options.speed, choice, options.l1 or None, theme)


def _without_display(options: Options, why: str) -> int:
    """Say so, play the round trip headless, keep its report and pictures, say where they are; 0 when all went well."""
    from app.runtime.terminal_progress import TerminalProgress
    from app.runtime.warmup import warm_up
    from app.scenarios import ROUND_TRIP
    from app.scenarios.play import new_run_folder, play
    from app.scenarios.report import write_report
    from app.venue.facade import Engine

    print(f"{why}: playing the round-trip scenario here instead of opening the window.")
    warm_up(TerminalProgress(sys.stdout))
    paths = new_run_folder(options.data, ROUND_TRIP.name)
    pictures = paths.data / "pictures"

    def draw(session: Session) -> None:
        _picture_session(Engine(session), pictures)

    report = play(
        ROUND_TRIP,
        paths,
        1,
        choice_of(options),
        say=run_command.print_step,
        keep=draw,
        l1=options.l1 or None,
    )
    write_report(paths.data / "report.json", report)
    for failure in report["failures"]:
        print(f"FAILED {failure}", file=sys.stderr)
    print(f"report:   {paths.data / 'report.json'}\npictures: {pictures}")
    return 1 if report["failures"] else 0


def _picture_arguments(parser: Parser, *_: object) -> None:
    parser.add_argument("folder", metavar="DIR")


def _check_pictures(options: Options) -> None:
    """Make the folder; whether pictures can be written there is better known before the venue plays."""
    folder = Path(options.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProtocolError(f"pictures cannot be written to {folder}: {error.strerror}", field="DIR") from error


def screenshots(options: Options) -> int:
    """A venue in a folder of its own plays recorded flow with a user's trade in it; then the window is drawn."""
    from app.scenarios.play import new_run_folder
    from app.venue.facade import Engine
    from app.venue.session import open_session
    from ui.picture_play import play_for_pictures

    session = open_session(new_run_folder(options.data, "screenshots"))
    try:
        session.prover.start()
        play_for_pictures(session, PICTURE_FLOW_SECONDS * SECOND)
        for path in _picture_session(Engine(session), Path(options.folder)):
            print(path)
    finally:
        session.close()
    return 0


def _picture_session(engine: Engine, folder: Path) -> list[Path]:
    """Draw the window over an engine whose clock stands still."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import qInstallMessageHandler

    from ui.screenshots import save_pictures

    qInstallMessageHandler(_without_size_hints)
    engine.publish_still()
    return save_pictures(engine, folder)


def _without_size_hints(kind: object, context: object, message: str) -> None:
    """Qt's messages to stderr, but for what its windowless platform says at every window: nobody can act on it."""
    if "propagateSizeHints" not in message:
        print(message, file=sys.stderr)


DESK = Command(
    name="desk",
    help="open the window",
    check=run_command.check,
    run=desk,
    settings=(*run_command.SETTINGS, "speed", "theme"),
    logs=True,
    default=True,
)
SCREENSHOTS = Command(
    name="screenshots",
    help="write pictures of the window",
    add_arguments=_picture_arguments,
    check=_check_pictures,
    run=screenshots,
    kernels="all",
    logs=True,
)
COMMANDS = (DESK, SCREENSHOTS)
