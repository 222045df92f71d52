"""What Stripe would send for hours of sales while nobody takes it in: late, twice, in any order, some of it poison."""

import json
import random
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

from bench.heard import heard
from marketplace.domain.merchants import Merchant
from marketplace.edge.deliveries import group_of
from marketplace.services.checkout import CheckoutSession
from tests.simulation.market import Market

from .fifo import Message

MERCHANTS: Final = 20
CART: Final = 3  # merchants of a cart
PRICE: Final = 3_000  # minor units of a sale
REFUNDED: Final = 1_000  # of one that is refunded, in Stripe's Dashboard
CARTS, REFUNDS, DECLINES, DISPUTES = 10, 5, 25, 100  # each so manieth sale
TWICE, POISON = 20, 500  # each so manieth event
WINDOW: Final = 200  # sales whose events come in any order
DECLINED, DISPUTED, GOOD = "4000000000000002", "4000000000000259", "4242424242424242"  # cards
POISONED: Final = (
    "not json",
    '{"object": "event", "id": "evt_poison"}',
    '{"object": "event", "id": "evt_poison", "type": "charge.succeeded", "created": "soon"}',
)


class Story:
    """The sales of a market, and the money that they are about, in minor units."""

    def __init__(self, market: Market, *, seed: int = 1, window: int = WINDOW) -> None:
        self.sales: list[str] = []
        self.captured = 0
        self.refunded = 0
        self.poison: set[str] = set()  # messages
        self._market = market
        self._window = window
        self._random = random.Random(seed)
        self._numbers = count()

    def messages(self, events: int) -> Iterator[Message]:
        """This many or a few more, in the order in which they reach the queue."""
        merchants = [self._market.ready_merchant(f"Merchant {number}") for number in range(MERCHANTS)]
        late: list[Message] = []
        while events > 0:
            window = [message for _ in range(self._window) for message in self._play(len(self.sales) + 1, merchants)]
            mixed = [*window, *late, *self._poison(window)]
            late = [self._message(each.body) for each in self._random.sample(window, len(window) // TWICE)]
            self._random.shuffle(mixed)
            yield from mixed
            events -= len(mixed) + len(late)
        yield from late

    def more(self) -> list[Message]:
        """What Stripe sends now, because of what was asked of it meanwhile."""
        return [self._message(json.dumps(event)) for event in heard(self._market)]

    def _play(self, number: int, merchants: list[Merchant]) -> list[Message]:
        """One sale and all that happens to it at Stripe before anybody here has heard of it."""
        market = self._market
        session = self._sell(number, merchants)
        self.sales.append(session.transaction_id)
        if number % DECLINES == 0:
            market.simulator.request("POST", f"/c/pay/{session.checkout_session_id}", {"card": DECLINED})
        market.pay(session, DISPUTED if number % DISPUTES == 1 else GOOD)
        self.captured += PRICE
        sent = self.more()
        if number % REFUNDS == 0:
            market.order("/v1/refunds", payment_intent=_intent(sent), amount=REFUNDED)
            self.refunded += REFUNDED
            sent += self.more()
        return sent

    def _sell(self, number: int, merchants: list[Merchant]) -> CheckoutSession:
        if number % CARTS:
            return self._market.sell(merchants[number % MERCHANTS], PRICE, key=f"order-{number}")
        cart = {merchants[(number + step) % MERCHANTS]: PRICE // CART for step in range(CART)}
        return self._market.sell_cart(cart, key=f"order-{number}")

    def _message(self, body: str) -> Message:
        event: Mapping[str, Any] = json.loads(body)
        return Message(f"message-{next(self._numbers)}", event["id"], group_of(event), body)

    def _poison(self, window: list[Message]) -> list[Message]:
        """Some among the events of payments, which must not be held up by it."""
        groups = [each.group for each in self._random.sample(window, max(1, len(window) // POISON))]
        made = [
            Message(f"message-{next(self._numbers)}", "evt_poison", group, self._random.choice(POISONED))
            for group in groups
        ]
        self.poison |= {each.id for each in made}
        return made


def _intent(sent: list[Message]) -> str:
    paid = (json.loads(each.body) for each in sent)
    return next(str(event["data"]["object"]["id"]) for event in paid if event["type"] == "payment_intent.succeeded")
