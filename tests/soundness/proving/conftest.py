"""The attacks use the batches and the judge of tests/engine/proving."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "engine" / "proving"))
