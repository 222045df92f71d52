"""`webhooks sync` and Amazon EventBridge: one destination for each stack, as it must be, however often asked for."""

from types import SimpleNamespace
from typing import Any

import pytest
import stripe

from cli import webhook_commands
from cli.__main__ import _parser
from cli.answers import FOUND, WELL, Answer
from cli.deployments import Cannot
from cli.webhooks.buses import EVENTS
from local.stripe_simulator import Clock, Simulator
from local.stripe_simulator.in_process import InProcessClient

from .aws import STACK, deployment_of
from .secrets_manager import Secrets

ACCOUNT, REGION = "123456789012", "eu-central-1"
API = "https://pay.shop.example"


class Place:
    """A stack in AWS, and the account at Stripe."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.simulator = Simulator(clock=Clock.standing(1_800_000_000), seed=7)
        self.stripe = stripe.StripeClient("sk_test_1", http_client=InProcessClient(self.simulator))
        self.source = ""
        self.secrets = Secrets()
        self.sts: Any = SimpleNamespace(
            get_caller_identity=lambda: {"Account": ACCOUNT}, meta=SimpleNamespace(region_name=REGION)
        )
        monkeypatch.setattr(webhook_commands, "stripe_client", lambda _: self.stripe)

    def sync(self, *options: str) -> Answer:
        return self.run("sync", *options)

    def run(self, *words: str) -> Answer:
        where = deployment_of(
            {"sts": self.sts, "secretsmanager": self.secrets},
            parameters={"StripeEventSource": self.source},
            outputs={"ApiUrl": API, "WebhookSecretArn": "webhooks"},
        )
        asked = _parser().parse_args(["webhooks", *words])
        answer: Answer = asked.subcommand.run(where, asked)
        return answer

    def by_hand(self, **more: Any) -> str:
        """One that was made in the Dashboard; its id."""
        wanted: Any = {
            "name": "mine", "type": "amazon_eventbridge", "event_payload": "snapshot",
            "events_from": ["@self", "@accounts"], "enabled_events": ["charge.succeeded"],
            "amazon_eventbridge": {"aws_account_id": ACCOUNT, "aws_region": REGION},
        }  # fmt: skip
        return self.stripe.v2.core.event_destinations.create(wanted | more).id

    @property
    def buses(self) -> list[dict[str, Any]]:
        listed = self.stripe.v2.core.event_destinations.list().data
        return [each.to_dict() for each in listed if each.type == "amazon_eventbridge"]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def steps(answer: Answer) -> list[tuple[str, str]]:
    return [(step["do"], step["because"]) for step in answer.facts["steps"] if step["endpoint"] == "eventbridge"]


def test_who_does_not_ask_for_it_gets_none(place: Place) -> None:
    place.sync()
    assert place.buses == []


def test_it_is_made_once_with_exactly_the_events_that_the_code_reads_and_its_source_is_told(place: Place) -> None:
    place.sync()
    assert steps(place.sync("--eventbridge", "--dry-run")) == [("create", "there is none")]
    assert place.buses == []
    first, second = place.sync("--eventbridge"), place.sync("--eventbridge")
    (bus,) = place.buses
    assert sorted(bus["enabled_events"]) == sorted(EVENTS)
    assert (bus["events_from"], bus["event_payload"], bus["snapshot_api_version"]) == (
        ["@self", "@accounts"], "snapshot", stripe.api_version
    )  # fmt: skip
    assert (bus["amazon_eventbridge"]["aws_account_id"], bus["metadata"]) == (ACCOUNT, {"stack": STACK})
    assert (steps(first), steps(second)) == ([("create", "there is none")], [])
    (source,) = second.facts["event_sources"]
    assert source == {"name": f"aws.partner/stripe.com/{bus['id']}", "status": "pending", "is_heard": False}
    assert source["name"] in second.shown(as_json=False)


def test_one_that_the_stack_hears_is_mended_without_being_asked_for(place: Place) -> None:
    place.sync("--eventbridge")
    (bus,) = place.buses
    place.source = f"aws.partner/stripe.com/{bus['id']}"
    place.stripe.v2.core.event_destinations.update(bus["id"], {"enabled_events": [*EVENTS[1:], "topup.created"]})
    place.stripe.v2.core.event_destinations.disable(bus["id"])
    told = place.sync("--dry-run")
    assert told.exit_code == 1
    assert steps(told) == [("mend", f"does not hear {EVENTS[0]}; hears topup.created; is disabled")]
    place.sync()
    (mended,) = place.buses
    assert (sorted(mended["enabled_events"]), mended["status"]) == (sorted(EVENTS), "enabled")
    well = place.sync("--dry-run")
    assert (well.exit_code, steps(well), well.text) == (0, [], "The endpoints are as they must be.")


def test_another_stage_s_is_not_touched_and_not_taken(place: Place) -> None:
    place.sync("--eventbridge")
    (others,) = place.buses
    place.stripe.v2.core.event_destinations.update(others["id"], {"metadata": {"stack": "another"}})
    place.sync("--eventbridge")
    assert sorted(each["metadata"]["stack"] for each in place.buses) == ["another", STACK]


def test_a_source_that_stripe_has_not_gets_one_successor_however_often(place: Place) -> None:
    place.source = "aws.partner/stripe.com/gone"
    assert steps(place.sync()) == [("create", "Stripe has not that source")]
    assert steps(place.sync()) == []
    assert len(place.buses) == 1


def test_one_made_by_hand_that_the_stack_hears_is_kept_and_mended(place: Place) -> None:
    made = place.by_hand(snapshot_api_version=stripe.api_version)
    assert steps(place.sync("--dry-run")) == []  # nobody asked, and the stack does not hear it
    place.source = f"aws.partner/stripe.com/{made}"
    assert [act for act, _ in steps(place.sync())] == ["mend"]
    assert [each["id"] for each in place.buses] == [made]


@pytest.mark.parametrize("unfit", [{"snapshot_api_version": "2025-03-31.basil"}, {"events_from": ["@self"]}])
def test_one_that_can_never_fit_gets_one_successor_that_is_deployed_with(place: Place, unfit: dict[str, Any]) -> None:
    made = place.by_hand(**unfit)
    place.source = f"aws.partner/stripe.com/{made}"
    assert steps(place.sync()) == [("create", "it speaks another API version, or does not hear of all accounts")]
    assert steps(place.sync()) == []
    (new,) = [each for each in place.buses if each["id"] != made]
    place.source = f"aws.partner/stripe.com/{new['id']}"
    assert steps(place.sync("--dry-run")) == []


@pytest.mark.parametrize("at", [{"aws_account_id": "210987654321"}, {"aws_region": "us-east-1"}])
def test_one_of_a_stack_of_the_same_name_elsewhere_is_not_this_one_s(place: Place, at: dict[str, str]) -> None:
    elsewhere = {"aws_account_id": ACCOUNT, "aws_region": REGION} | at
    fits = {"snapshot_api_version": stripe.api_version, "enabled_events": [*EVENTS], "metadata": {"stack": STACK}}
    place.by_hand(**fits, amazon_eventbridge=elsewhere)
    assert steps(place.sync("--eventbridge")) == [("create", "there is none")]


def test_what_else_api_v2_delivers_is_none(place: Place) -> None:
    place.by_hand(event_payload="thin", metadata={"stack": STACK})
    hook: Any = {
        "name": "mine", "type": "webhook_endpoint", "event_payload": "snapshot", "enabled_events": ["charge.succeeded"],
        "webhook_endpoint": {"url": "https://elsewhere.example"},
    }  # fmt: skip
    place.stripe.v2.core.event_destinations.create(hook)
    made = place.sync("--eventbridge")
    assert steps(made) == [("create", "there is none")]
    assert len(made.facts["event_sources"]) == 1


def test_the_one_that_the_stack_hears_comes_before_one_that_was_made_for_it(place: Place) -> None:
    heard = place.by_hand(snapshot_api_version=stripe.api_version)
    place.sync("--eventbridge")
    place.source = f"aws.partner/stripe.com/{heard}"
    assert [act for act, _ in steps(place.sync())] == ["mend"]
    assert {tuple(sorted(each["enabled_events"])) for each in place.buses} == {tuple(sorted(EVENTS))}


def test_a_dry_run_says_by_its_exit_code_that_something_is_to_be_done_and_does_nothing(place: Place) -> None:
    told = place.sync("--dry-run")
    assert (told.exit_code, [step["do"] for step in told.facts["steps"]]) == (FOUND, ["create"] * 3)
    assert (place.secrets.writes, place.stripe.v1.webhook_endpoints.list().data) == ([], [])
    assert place.stripe.v2.core.event_destinations.list().data == []
    place.sync()
    before = place.secrets.writes[:]
    assert place.sync("--dry-run").exit_code == WELL
    assert place.secrets.writes == before


def test_a_rotation_is_begun_and_is_not_ended_before_its_time(place: Place) -> None:
    place.sync()
    begun = place.run("rotate")
    assert [step["do"] for step in begun.facts["steps"]] == ["create"] * 3
    assert len(begun.facts["to_be_deleted"]) == 3
    with pytest.raises(Cannot, match="wait until"):
        place.run("rotate", "--finish")
    assert len(place.stripe.v1.webhook_endpoints.list().data) == 4
