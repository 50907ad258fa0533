"""Positions, orders and history in one table with tabs."""
