"""`webhooks sync` and `rotate` at the Stripe simulator: no secret is lost, wherever they are interrupted."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import stripe

from cli.webhooks import rotation
from cli.webhooks.endpoints import Endpoint, Kind, StripeEndpoints, wanted_at
from cli.webhooks.kept import Kept, Malformed, Vault
from cli.webhooks.rotation import NotNow
from cli.webhooks.sync import OVERLAP, Plan, carry_out, plan
from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient
from marketplace.adapters.secrets import READ_AGAIN_AFTER_SECONDS
from marketplace.domain.events import ACCOUNT_EVENTS, CONNECT_EVENTS, THIN_EVENTS
from marketplace.domain.signatures import InvalidSignature, UnusableSecrets, require_signed

from .secrets_manager import Secrets

START = 1_800_000_000
API = "https://pay.shop.example"
URLS = [f"{API}/webhooks/stripe/account", f"{API}/webhooks/stripe/connect"]


class PowerCut(BaseException):
    """The end of the process, which nothing catches."""


@dataclass
class Fuse:
    """Ends the process at the n-th touch of the outside, before it or after it."""

    at: int | None = None
    after: bool = False
    touches: Iterator[int] = field(default_factory=count)

    def around[T](self, act: Callable[[], T]) -> T:
        burns = next(self.touches) == self.at
        if burns and not self.after:
            raise PowerCut
        done = act()
        if burns:
            raise PowerCut
        return done


class FusedClient(InProcessClient):
    def __init__(self, simulator: Simulator, fuse: Fuse) -> None:
        super().__init__(simulator)
        self.fuse = fuse

    def request(self, *args: Any, **options: Any) -> Any:
        return self.fuse.around(lambda: InProcessClient.request(self, *args, **options))


class FusedSecrets(Secrets):
    fuse: Fuse

    def put_secret_value(self, **options: Any) -> None:
        self.fuse.around(lambda: Secrets.put_secret_value(self, **options))


class Place:
    """A deployment's endpoints and secrets, of which every run of a command is a process of its own."""

    def __init__(self) -> None:
        self.simulator = Simulator(clock=Clock.standing(START), seed=7)
        self.secrets = FusedSecrets()
        self.now = datetime.fromtimestamp(START, UTC)
        self.fuse = Fuse()
        self.steps = 0

    def tools(self) -> tuple[StripeEndpoints, Vault]:
        self.secrets.fuse = self.fuse
        client = stripe.StripeClient("sk_test_1", http_client=FusedClient(self.simulator, self.fuse))
        return StripeEndpoints(client), Vault(self.secrets, "webhooks")  # type: ignore[arg-type]  # by hand

    def plan(self) -> Plan:
        endpoints, vault = self.tools()
        return plan(wanted_at(API), endpoints.at(URLS), vault.read(), now=self.now)

    def sync(self, fuse: Fuse | None = None) -> list[str]:
        """What it did."""
        self.fuse = fuse or Fuse()
        endpoints, vault = self.tools()
        steps = self.plan().steps
        return [f"{s.act} {s.wanted.kind}" for s in carry_out(steps, endpoints, vault, now=self.now)]

    def rotate(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        endpoints, vault = self.tools()
        steps = rotation.beginning(wanted_at(API), endpoints.at(URLS), vault.read(), self.plan())
        list(carry_out(steps, endpoints, vault, now=self.now))

    def finish(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        endpoints, vault = self.tools()
        found = endpoints.at(URLS)
        list(rotation.finish(self.plan(), found, vault.read(), endpoints, vault, now=self.now))

    def wait(self) -> None:
        self.now += OVERLAP

    @property
    def kept(self) -> Kept:
        return self.tools()[1].read()

    @property
    def found(self) -> tuple[Endpoint, ...]:
        self.fuse = Fuse()
        return self.tools()[0].at(URLS)

    def hears(self, known: Kept | None = None) -> dict[str, int]:
        """How many deliveries of one event the receiver takes, by what is heard; ``known`` None: all that is kept."""
        kept = known or self.kept
        return {name: sum(_is_taken(kept, each) for each in told) for name, told in self._deliveries().items()}

    def refuses(self) -> int:
        """How many of those that it does not take."""
        return sum(not _is_taken(self.kept, each) for deliveries in self._deliveries().values() for each in deliveries)

    def _deliveries(self) -> dict[str, list[Any]]:
        return {"account": self._told(None), "connect": self._told("seller"), "thin": self._told("thin")}

    def _told(self, whose: str | None) -> list[Any]:
        """What is delivered when one event that each endpoint wants happens."""
        self.simulator.take_deliveries()
        client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(self.simulator))
        if whose is None:
            pm = {"payment_method": "pm_card_visa", "return_url": "https://shop.example"}
            client.v1.payment_intents.create({"amount": 500, "currency": "usd", "confirm": True, **pm})  # type: ignore[typeddict-item]
            return [each for each in self.simulator.take_deliveries() if each.event_type == "charge.succeeded"]
        account = client.v2.core.accounts.create(
            {
                "contact_email": "clay@example.com", "dashboard": "express", "identity": {"country": "us"},
                "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
                "configuration": {
                    "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
                },
            }
        )  # fmt: skip
        self.simulator.take_deliveries()
        client.v2.core.accounts.update(account.id, {"display_name": "Clay & Co"})
        kind = "v2.core.account.updated" if whose == "thin" else "account.updated"
        return [each for each in self.simulator.take_deliveries() if each.event_type == kind]


def _is_taken(kept: Kept, delivery: Any) -> bool:
    path = delivery.url.rsplit("/", 1)[-1]
    header = delivery.headers["Stripe-Signature"]
    at = int(header.split(",")[0].removeprefix("t="))
    try:
        require_signed(delivery.body, header, kept.lists.get(path, ()), now=at)
    except (InvalidSignature, UnusableSecrets):
        return False
    return True


@pytest.fixture
def place() -> Place:
    return Place()


ONCE = {"account": 1, "connect": 1, "thin": 1}


def test_a_new_deployment_gets_its_three_endpoints_with_exactly_the_events_that_the_code_reads(place: Place) -> None:
    assert place.sync() == ["create account", "create connect", "create thin"]
    heard = {(each.url, each.is_thin): each.events for each in place.found}
    assert heard == {
        (URLS[0], False): frozenset(ACCOUNT_EVENTS),
        (URLS[1], False): frozenset(CONNECT_EVENTS),
        (URLS[1], True): frozenset(THIN_EVENTS),
    }
    assert {each.api_version for each in place.found if not each.is_thin} == {stripe.api_version}
    assert place.hears() == ONCE


def test_spree_14622_registering_webhooks_twice_loses_no_secret(place: Place) -> None:
    place.sync()
    before = place.secrets.writes[-1]
    assert place.sync() == []
    assert place.secrets.writes[-1] == before
    assert place.hears() == ONCE


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_spree_14622_wherever_registering_is_interrupted_the_next_run_has_every_secret(after: bool) -> None:
    for at in count():
        place = Place()
        try:
            place.sync(Fuse(at, after=after))
        except PowerCut:
            place.sync()
            assert min(place.hears().values()) >= 1, at
            place.wait()
            place.sync()
            assert [each.is_thin for each in place.found].count(False) == 2
            assert len(place.found) == 3
            assert place.hears() == ONCE
            assert place.sync() == []
        else:
            assert at > 6  # two reads, and for each endpoint one call and one write
            return


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", ["rotate", "finish"])
def test_f30_wherever_a_rotation_is_interrupted_every_event_is_heard_and_the_old_secrets_end(
    act: str, after: bool
) -> None:
    for at in count():
        place = Place()
        place.sync()
        old = {each.secret for each in place.kept.endpoints.values()}
        if act == "finish":
            place.rotate()
            place.wait()
        try:
            getattr(place, act)(Fuse(at, after=after))
        except PowerCut:
            assert min(place.hears().values()) >= 1, at
            assert act == "rotate" or place.refuses() == 0, at  # what is still there is still known
            ask_again(place)
            assert not old & {secret for secrets in place.kept.lists.values() for secret in secrets}, at
            assert len(place.found) == 3
            assert place.hears() == ONCE
        else:
            assert at > 6  # the reads, and for each endpoint one call and one write
            return


def ask_again(place: Place) -> None:
    """What an operator does who is told what comes first."""
    for act in (place.sync, place.rotate, place.wait, place.finish):
        with suppress(NotNow):
            act()
        assert min(place.hears().values()) >= 1


def test_f30_in_the_overlap_both_secrets_are_good_and_afterwards_the_new_ones_alone(place: Place) -> None:
    place.sync()
    old = place.kept
    place.rotate()
    assert place.hears() == {"account": 2, "connect": 2, "thin": 2}
    assert all(set(secrets) < set(place.kept.lists[path]) for path, secrets in old.lists.items())
    with pytest.raises(NotNow, match="has its new secret"):
        place.rotate()
    with pytest.raises(NotNow, match="wait until"):
        place.finish()
    place.wait()
    place.finish()
    assert place.hears() == ONCE
    assert not {s for each in old.lists.values() for s in each} & {s for e in place.kept.lists.values() for s in e}
    with pytest.raises(NotNow, match="No rotation"):
        place.finish()


def test_a_secret_that_was_put_in_by_hand_is_kept_until_a_rotation_ends(place: Place) -> None:
    place.secrets.writes.append('{"account": ["whsec_by_hand"], "connect": []}')
    place.sync()
    assert "whsec_by_hand" in place.kept.lists["account"]
    place.rotate()
    place.wait()
    assert "whsec_by_hand" in place.kept.lists["account"]
    place.finish()
    assert "whsec_by_hand" not in place.kept.lists["account"]
    assert place.hears() == ONCE


def test_where_somebody_deleted_the_older_endpoints_the_end_of_a_rotation_forgets_their_secrets(place: Place) -> None:
    place.sync()
    older = place.kept.endpoints
    place.rotate()
    place.wait()
    for endpoint_id, each in older.items():
        path = "/v2/core/event_destinations" if each.kind is Kind.THIN else "/v1/webhook_endpoints"
        place.simulator.request("DELETE", f"{path}/{endpoint_id}", {})
    place.finish()
    assert not older.keys() & place.kept.endpoints.keys()
    known = {secret for secrets in place.kept.lists.values() for secret in secrets}
    assert not {each.secret for each in older.values()} & known
    assert place.hears() == ONCE


def test_old_secrets_are_good_for_longer_than_a_receiver_goes_on_with_what_it_read() -> None:
    assert timedelta(seconds=3 * READ_AGAIN_AFTER_SECONDS) <= OVERLAP


def test_an_endpoint_whose_secret_somebody_took_out_gets_a_successor(place: Place) -> None:
    place.sync()
    kept = json.loads(place.secrets.writes[-1])
    place.secrets.writes.append(json.dumps({**kept, "account": ["whsec_by_hand"]}))
    assert place.hears()["account"] == 0
    assert place.sync() == ["create account"]
    assert place.hears()["account"] == 1


def test_what_is_missing_is_made_and_what_it_replaces_is_heard_until_it_is_surely_known(place: Place) -> None:
    place.sync()
    old = {each.id for each in place.found}
    place.rotate()
    (new,) = (each for each in place.found if each.id not in old and each.url == URLS[1] and not each.is_thin)
    place.simulator.request("DELETE", f"/v1/webhook_endpoints/{new.id}", {})
    place.wait()
    known = place.kept
    with pytest.raises(NotNow, match="webhooks sync"):
        place.finish()
    assert place.sync() == ["create connect", "delete account", "delete thin"]
    assert place.hears(known)["connect"] == 1  # by a receiver that has not read the newest secret yet
    with pytest.raises(NotNow, match="wait until"):
        place.finish()
    place.wait()
    place.finish()
    assert place.hears() == ONCE


@pytest.mark.parametrize("made", [[Kind.ACCOUNT], [Kind.ACCOUNT, Kind.CONNECT]])
def test_a_rotation_that_stopped_half_way_retires_nothing_that_has_no_successor(place: Place, made: list[Kind]) -> None:
    place.sync()
    with suppress(PowerCut):
        place.rotate(Fuse(3 + 2 * len(made), after=True))  # four reads, then each is made, and its secret kept
    assert [each.kind for each in place.plan().waiting] == made
    place.wait()
    place.finish()
    assert place.hears() == ONCE
    assert len(place.found) == 3


def test_endpoints_that_were_made_by_hand_are_heard_until_theirs_are_surely_known(place: Place) -> None:
    made = place.simulator.request(
        "POST", "/v1/webhook_endpoints", {"url": URLS[0], "enabled_events": ["*"]}
    ).json()  # fmt: skip
    place.secrets.writes.append(json.dumps({"account": [made["secret"]]}))
    assert place.sync() == ["create account", "create connect", "create thin"]
    assert place.hears()["account"] == 2
    assert place.sync() == []
    place.wait()
    assert place.sync() == ["delete account"]
    assert place.hears() == ONCE


def test_what_somebody_changed_in_the_dashboard_is_mended_without_another_secret(place: Place) -> None:
    place.sync()
    before = place.secrets.writes[-1]
    account, connect, thin = sorted(place.found, key=lambda each: (each.url, each.is_thin))
    change = {"enabled_events": ["charge.succeeded", "product.created"], "disabled": True}
    place.simulator.request("POST", f"/v1/webhook_endpoints/{account.id}", change)
    place.simulator.request("POST", f"/v2/core/event_destinations/{thin.id}/disable", {})
    (mended, other) = place.plan().steps
    assert "does not hear" in mended.because
    assert "hears product.created" in mended.because
    assert "is disabled" in mended.because
    assert other.because == "is disabled"
    assert place.sync() == ["mend account", "mend thin"]
    assert place.hears() == ONCE
    assert place.secrets.writes[-1] == before
    assert connect in place.found


def test_an_endpoint_of_another_api_version_gets_a_successor_first(place: Place) -> None:
    old = place.simulator.request(
        "POST", "/v1/webhook_endpoints",
        {"url": URLS[0], "enabled_events": list(ACCOUNT_EVENTS), "api_version": "2026-05-27.dahlia"},
    ).json()  # fmt: skip
    kept = Kept().with_new(old["id"], wanted_at(API)[0], old["secret"])
    place.secrets.writes.append(kept.text())
    assert place.sync()[0] == "create account"
    assert {each.because for each in place.plan().steps} == set()
    assert place.hears()["account"] == 2
    place.wait()
    assert place.sync() == ["delete account"]
    assert old["secret"] not in place.kept.lists["account"]


@pytest.mark.parametrize(
    "other",
    [
        {"type": "webhook_endpoint", "event_payload": "snapshot", "webhook_endpoint": {"url": URLS[1]}},
        {
            "type": "amazon_eventbridge", "event_payload": "thin",
            "amazon_eventbridge": {"aws_account_id": "123456789012", "aws_region": "eu-central-1"},
        },
    ],
    ids=["snapshot", "eventbridge"],
)  # fmt: skip
def test_what_api_v2_has_that_is_no_endpoint_of_thin_events_is_none_of_ours(
    place: Place, other: dict[str, Any]
) -> None:
    made = place.simulator.request(
        "POST", "/v2/core/event_destinations", {"name": "mine", "enabled_events": ["charge.succeeded"], **other}
    )
    assert made.status == 200, made.body
    assert place.sync() == ["create account", "create connect", "create thin"]
    assert len(place.found) == 3
    assert place.sync() == []


def test_other_endpoints_of_the_account_are_left_alone(place: Place) -> None:
    other = {"url": "https://elsewhere.example/hook", "enabled_events": ["*"]}
    made = place.simulator.request("POST", "/v1/webhook_endpoints", other).json()
    place.sync()
    place.rotate()
    place.wait()
    place.finish()
    found = place.simulator.request("GET", f"/v1/webhook_endpoints/{made['id']}").json()
    assert (found["status"], found["enabled_events"]) == ("enabled", ["*"])
    assert made["id"] not in {each.id for each in place.found}


def test_a_key_of_another_account_costs_no_secret(place: Place) -> None:
    place.sync()
    secrets = {s for each in place.kept.lists.values() for s in each}
    place.simulator = Simulator(clock=Clock.standing(START), seed=8)
    place.sync()
    assert secrets <= {s for each in place.kept.lists.values() for s in each}


def test_two_who_sync_at_once_lose_no_secret(place: Place) -> None:
    endpoints, vault = place.tools()
    steps = place.plan().steps
    place.sync()
    list(carry_out(steps, endpoints, vault, now=place.now))  # planned before the other one wrote
    place.wait()
    place.sync()
    place.wait()
    place.sync()
    assert place.hears() == ONCE
    assert len(place.found) == 3


def test_a_rotation_waits_until_the_endpoints_are_as_they_must_be(place: Place) -> None:
    with pytest.raises(NotNow, match="webhooks sync"):
        place.rotate()
    with pytest.raises(NotNow, match="webhooks sync"):
        place.finish()


@pytest.mark.parametrize(
    "text", ["[]", "whsec_1", '{"account": ["sk_test_1"]}', '{"connect": 5}', '{"endpoints": {"we_1": {}}}',
             '{"endpoints": {"we_1": {"kind": "other", "secret": null}}}'],
)  # fmt: skip
def test_what_cannot_be_read_is_not_written_over(place: Place, text: str) -> None:
    place.secrets.writes.append(text)
    with pytest.raises(Malformed):
        place.sync()
    assert place.secrets.writes == [text]


def test_what_is_kept_is_read_as_it_was_written() -> None:
    kept = Kept().with_new("we_1", wanted_at(API)[0], "whsec_1")
    kept = kept.with_retired("we_2", Kind.THIN, datetime(2026, 11, 23, tzinfo=UTC) + timedelta(microseconds=5))
    assert Kept.of(kept.text()) == Kept.of(Kept.of(kept.text()).text())
    assert Kept.of(kept.text()).endpoints == kept.endpoints


def test_the_end_of_a_rotation_forgets_nothing_that_is_still_heard_or_only_not_seen() -> None:
    """Another operator's rotation may have begun meanwhile, or the key may be another account's."""
    wanted, now = wanted_at(API)[0], datetime(2026, 11, 23, tzinfo=UTC)
    kept = Kept().with_new("we_old", wanted, "whsec_old").with_new("we_new", wanted, "whsec_new")
    kept = kept.with_retired("we_old", Kind.ACCOUNT, now)
    assert kept.rotated({"we_old", "we_new"}) == kept
    assert kept.rotated({"we_new"}) == kept.rotated(set()) == kept.without("we_old")
