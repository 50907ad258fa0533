"""A named story: what is given, what happens, what it shows, and the function that plays it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.exchange.config import VenueConfig
from engine.units import QUANTUM
from engine.vectors.encoding import Plain
from engine.vectors.story import ALICE, BOB, CONFIG, INSURANCE, MAKER, START_TICKS, NotShown, Story, shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``name`` is the file's. ``ticks``: index prices at genesis. ``broken``: invariants that it breaks on purpose."""

    name: str
    given: str
    when: str
    then: str
    play: Callable[[Story], None]
    config: VenueConfig = CONFIG
    ticks: Mapping[int, int] = field(default_factory=lambda: START_TICKS)
    broken: frozenset[str] = frozenset()

    def tell(self) -> Plain:
        """Play it and return its vector; :class:`NotShown` when it does not show what it is there for."""
        story = Story(self.config, self.ticks)
        try:
            self.play(story)
            found = {name for name, state in story.venue.invariants().items() if state is not True}
            shows(found == self.broken, f"invariants broken: {sorted(self.broken)}; broken are {sorted(found)}")
        except NotShown as error:
            raise NotShown(f"{self.name}, input {len(story.steps)}: {error.message}", field=self.name) from error
        return story.vector(self.name, self.given, self.when, self.then)


def scenario(
    *,
    given: str,
    when: str,
    then: str,
    config: VenueConfig = CONFIG,
    ticks: Mapping[int, int] = START_TICKS,
    broken: frozenset[str] = frozenset(),
) -> Callable[[Callable[[Story], None]], Scenario]:
    """Make a scenario of the function that plays it, under the function's name."""

    def made(play: Callable[[Story], None]) -> Scenario:
        return Scenario(
            name=play.__name__,
            given=given,
            when=when,
            then=then,
            play=play,
            config=config,
            ticks=ticks,
            broken=broken,
        )

    return made


def opened(story: Story, insurance: int = 0) -> None:
    """A maker with a million tokens, Alice and Bob with 10,000 each, and one second later."""
    story.deposit((MAKER, 1_000_000), (ALICE, 10_000), (BOB, 10_000))
    if insurance:
        story.deposit((INSURANCE, insurance))
    story.clock()
    shows(story.balance(ALICE) == 10_000 * QUANTUM, "Alice's account is open")


def trade(story: Story, account: int, lots: int, price: int, *, market: int = 1) -> None:
    """The account buys (negative: sells) from the maker at this price; nothing else is in the book there."""
    buying = lots > 0
    story.order(MAKER, "sell" if buying else "buy", abs(lots), price, market=market)
    before = story.size(account, market)
    story.order(account, "buy" if buying else "sell", abs(lots), price, market=market)
    shows(story.size(account, market) == before + lots, f"account {account} has {before + lots} lots")
