"""Sizes: a 4-pixel grid, three densities, four text sizes. No widget writes a pixel number of its own for these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import UnknownName

DensityName = Literal["compact", "normal", "roomy"]
SizeName = Literal["small", "body", "large", "huge"]


@dataclass(frozen=True, slots=True)
class Density:
    """Pixels: heights of a ladder row, a table row and a control, the panel's inner margin, and the four text sizes."""

    name: DensityName
    ladder_row: int
    table_row: int
    control: int
    margin: int
    small: int
    body: int
    large: int
    huge: int

    def text(self, size: SizeName) -> int:
        """Pixel size of one of the four text sizes."""
        return int(getattr(self, size))


DENSITIES: dict[DensityName, Density] = {
    "compact": Density("compact", 18, 22, 24, 8, 11, 12, 15, 20),
    "normal": Density("normal", 20, 24, 28, 8, 11, 12, 15, 20),
    "roomy": Density("roomy", 24, 32, 32, 12, 12, 14, 18, 24),
}


def density_name(name: str) -> DensityName:
    """A density's name, checked; ``UnknownName`` lists the valid ones."""
    for known in DENSITIES:
        if known == name:
            return known
    raise UnknownName("density", name, list(DENSITIES))
