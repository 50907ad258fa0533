"""One launch, timed from outside: prints when the window was up and when the book on it had changed."""

from __future__ import annotations

import json
import os
import sys
import time

from app.runtime import jit_cache


def main(folder: str, started: float) -> None:
    """Open the desk as ``main.py desk`` does, without the start window, and quit at the first moved book."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    jit_cache.prepare()
    from app.paths import open_paths
    from app.snapshot.views import Snapshot
    from app.venue.facade import Engine
    from app.venue.session import open_session
    from ui.desk import make_application, make_window

    stages = {"imports": time.time() - started}
    application = make_application()
    session = open_session(open_paths(folder))
    stages["venue_open"] = time.time() - started
    stages["inputs_replayed"] = session.replayed
    engine = Engine(session)
    engine.start()
    window = make_window(engine, {}, (1920, 1080))
    window.show()
    window.loop.start()
    first: list[int] = []

    def look(snapshot: Snapshot | None, now: float) -> None:
        if snapshot is None:
            return
        changes = sum(market.book_changes for market in snapshot.markets.values())
        if not first:
            stages["first_frame"] = time.time() - started
            first.append(changes)
        elif changes > first[0]:
            stages["moving_book"] = time.time() - started
            application.quit()

    window.loop.after_frame.append(look)
    application.exec()
    window.loop.stop()
    engine.stop()
    sys.stdout.write(json.dumps(stages) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
