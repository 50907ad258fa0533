"""The version of the venue's rules. A journal replays to the same state only under the rules that it was written with.

It goes up by one with every change after which some journal would give other fills, roots, refusals or batches, or
would no longer decode. ``docs/extending.md`` says what else belongs to such a change.

1   journals that carry no version
2   the first that journals name
"""

from __future__ import annotations

RULES_VERSION = 2
