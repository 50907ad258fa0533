"""While a window is up: long-lived objects are set aside and threads take short turns; afterwards all is as before."""

from __future__ import annotations

import gc
import sys

from app.runtime import interpreter


def test_what_is_alive_is_set_aside_while_somebody_watches() -> None:
    before, frozen, keepsake = sys.getswitchinterval(), gc.get_freeze_count(), [object()]
    interpreter.set_aside()
    assert gc.get_freeze_count() == frozen < 1000, "nothing without a window (Python 3.12 begins with a few hundred)"
    with interpreter.watched():
        assert sys.getswitchinterval() == interpreter.TURN_SECONDS < before
        assert gc.get_freeze_count() > 10_000, "the modules and what they hold"
        assert not any(thing is keepsake for thing in gc.get_objects())
        later = [object()]
        assert any(thing is later for thing in gc.get_objects()), "what comes later is collected as always"
        interpreter.set_aside()
        assert not any(thing is later for thing in gc.get_objects())
    assert sys.getswitchinterval() == before
    assert gc.get_freeze_count() == 0
    assert any(thing is keepsake for thing in gc.get_objects())
