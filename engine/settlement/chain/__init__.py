"""The embedded L1: blocks, transactions, world state on the EVM."""
