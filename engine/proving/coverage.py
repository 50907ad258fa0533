"""What today's proof covers and does not cover, in plain words. Every screen and file that shows a proof shows this."""

from __future__ import annotations

STATEMENT_NAME = "proofline/account-updates/1"

COVERED: tuple[str, ...] = (
    "The new root follows from the old root by the batch's account updates; every other account is unchanged.",
    "No account is updated twice, and each update stays at its own place in the tree.",
    "Total collateral over all accounts changes only by the listed deposits and withdrawals, exactly, as integers.",
    "Each listed deposit and withdrawal belongs to an updated account and names the L1 address in its leaf.",
    "An existing account keeps its owner: version, key and L1 address never change.",
    "A new account belongs to the L1 address whose deposit opens it, or to nobody.",
    "Every updated leaf is well formed: amounts in their ranges, positions in order and not zero, unused space zero.",
)

NOT_COVERED: tuple[str, ...] = (
    "Orders and withdrawals are not yet signed: the operator, who alone may post batches, could invent them.",
    "Matching, prices, limits and priority of orders are not proved.",
    "How collateral moves between accounts (trades, fees, funding, liquidations) is not proved, only its total.",
    "Position sizes are not proved to balance, nor to change by trades only; funding indices are not proved.",
    "Initial and maintenance margin, liquidations and deleveraging are not proved; collateral may go below zero.",
    "Which markets exist, and that next signature indices only rise, is not proved.",
    "A deposit is proved to enter the total, not to be credited to its account.",
    "The venue's configuration is bound, not applied; the key of a new account is the operator's word.",
)
