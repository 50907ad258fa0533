"""The chart panel: candles, axes, levels."""
