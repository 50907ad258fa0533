"""The toy statements live beside the proof system's own tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "engine" / "stark"))
