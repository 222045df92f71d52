"""The deployment itself: its parameters, the table, the alarms, whether the API answers, the clocks."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from marketplace.domain.errors import InvalidFeePolicy

from ..stripe_keys import FUNCTIONS_OF, Group
from .lines import Line, ok, unknown, warning, wrong
from .patient import CHECKED_PARAMETERS, Patient

STRIPE_API: Final = "https://api.stripe.com"
HEALTH_SECONDS: Final = 10
# Who asks Stripe while a caller waits: those whose concurrency the template reserves by StripeConcurrency.
ASKING: Final = (
    *(
        function
        for group in (Group.MERCHANTS, Group.CATALOG, Group.CHECKOUT, Group.PAYMENTS, Group.BILLING)
        for function in FUNCTIONS_OF[group]
    ),
    "commands/app",
)
SHORTEST_ANSWER_SECONDS: Final = 0.3
STRIPE_REQUESTS_A_SECOND: Final = 100  # in live mode, unless raised: https://docs.stripe.com/rate-limits
USUAL_RESERVATION: Final = 2
UNRESERVED_AT_LEAST: Final = 100  # which AWS keeps for functions that reserve nothing
MOST_SKEW: Final = timedelta(seconds=30)  # signatures are good for 300 s; half a minute says that something is wrong


def parameters(patient: Patient) -> Iterator[Line]:
    """Whether the functions can start with them, and whether they make sense."""
    given, fine = patient.where.parameters, True
    for name, parse in CHECKED_PARAMETERS.items():
        try:
            parse(given.get(name, "{}")) if name in given else None
        except (ValueError, InvalidFeePolicy) as error:
            fine = False
            yield wrong("parameters", f"{name}: {error}.", "Deploy with another: functions do not start with it.")
    if fine:
        yield ok("parameters", "The policies can be read.")
    yield from _origins(given.get("ReturnOrigins", ""), is_live=patient.is_live)
    if not patient.is_local and given.get("StripeApiBase", STRIPE_API) != STRIPE_API:
        yield wrong("parameters", f"StripeApiBase is {given['StripeApiBase']}.", f"Deploy with {STRIPE_API}.")
    if patient.is_live and not given.get("AlarmTopicArn"):
        yield warning("alarms", "Nobody is told of an alarm.", "Deploy with AlarmTopicArn, an SNS topic.")


def _origins(text: str, *, is_live: bool) -> Iterator[Line]:
    origins = [each for each in text.split(",") if each]
    open_ones = [each for each in origins if each.startswith("http://")]
    if not origins:
        yield wrong("return origins", "There are none: no buyer can be sent back.", "Deploy with ReturnOrigins.")
    elif open_ones and is_live:
        yield wrong("return origins", f"{', '.join(open_ones)} is not encrypted.", "Name https:// origins only.")
    else:
        yield ok("return origins", ", ".join(origins))


def stripe_limit(patient: Patient) -> Iterator[Line]:
    """Whether what callers ask for at once stays below Stripe's rate limit; docs/capacity.md has the sums."""
    reserved = int(patient.where.parameters.get("StripeConcurrency", "0"))
    most = round(len(ASKING) * reserved / SHORTEST_ANSWER_SECONDS)
    if most > STRIPE_REQUESTS_A_SECOND:
        mend = "Ask Stripe for a higher limit, or deploy with a lower StripeConcurrency."
        yield warning("stripe limit", f"Functions may ask {most} times a second; Stripe lets 100 through.", mend)
    elif reserved:
        yield ok("stripe limit", f"Functions ask at most {most} times a second for callers.")
    elif not patient.is_live:
        yield ok("stripe limit", "Nothing is reserved, which test mode does not need.")
    else:
        yield _unreserved(patient)


def _unreserved(patient: Patient) -> Line:
    quota = patient.aws("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    needed = UNRESERVED_AT_LEAST + USUAL_RESERVATION * len(ASKING)
    what = "Nothing keeps callers below Stripe's rate limit: what is over it ends in `outcome-unknown`, and waits."
    if quota < needed:
        return warning("stripe limit", what, f"Ask AWS for {needed} concurrent executions; {quota} are unreserved now.")
    return warning("stripe limit", what, f"Deploy with StripeConcurrency={USUAL_RESERVATION}.")


def table(patient: Patient) -> Iterator[Line]:
    """Whether the table is there, can be restored, and cannot be deleted by mistake."""
    client, name = patient.aws("dynamodb"), patient.where.output("TableName")
    found = client.describe_table(TableName=name)["Table"]
    if found["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        yield wrong("table", f"It is {found['TableStatus']}.", "Look at it in the console of DynamoDB.")
        return
    if patient.is_local:
        yield ok("table", "It is there; a local cloud forgets all that is in it.")
        return
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    lacks = [
        *([] if recovery == "ENABLED" else ["be restored: point-in-time recovery is off"]),
        *([] if found.get("DeletionProtectionEnabled") else ["be kept from deletion: its protection is off"]),
    ]
    for each in lacks:
        yield wrong("table", f"It cannot {each}.", "Deploy the current template.")
    if not lacks:
        yield ok("table", "It can be restored to any second, and not be deleted by mistake.")


def alarms(patient: Patient) -> Iterator[Line]:
    """Those that ring."""
    pages = patient.aws("cloudwatch").get_paginator("describe_alarms")
    found = [
        each for page in pages.paginate(AlarmNamePrefix=f"{patient.where.stack_name}-") for each in page["MetricAlarms"]
    ]
    ringing = [each for each in found if each["StateValue"] == "ALARM"]
    for each in ringing:
        yield wrong("alarms", each.get("AlarmDescription") or each["AlarmName"], "See docs/operations.md.")
    if found and not ringing:
        yield ok("alarms", f"None of {len(found)} rings.")
    if not found:
        yield warning("alarms", "There are none.", "Deploy the current template.")


def api(patient: Patient) -> Iterator[Line]:
    """Whether the API answers where Stripe is told that it is."""
    url = patient.where.output("ApiUrl")
    if patient.is_live and not url.startswith("https://"):
        yield wrong("api", f"{url} is not encrypted: Stripe does not deliver there.", "Deploy with another ApiBaseUrl.")
        return
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=HEALTH_SECONDS) as answer:  # noqa: S310 - the stack's own
            status = answer.status
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        yield wrong("api", f"{url} does not answer: {error}.", "Check ApiBaseUrl, its domain and its certificate.")
        return
    yield ok("api", f"{url} answers {status}.")


def clocks(patient: Patient) -> Iterator[Line]:
    """Whether AWS's clock, which the functions go by, and this machine's are Stripe's."""
    at_stripe = _date(patient.stripe.v1.balance.retrieve().last_response.headers)  # type: ignore[union-attr]  # there is one
    answer = patient.aws("dynamodb").describe_table(TableName=patient.where.output("TableName"))
    at_aws = _date(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
    if at_stripe is None:
        yield unknown("clock", "Stripe's answer says no time.")
        return
    for whose, time in (("AWS's", at_aws), ("this machine's", patient.now())):
        if time is not None:
            yield _skew(whose, time - at_stripe)


def _skew(whose: str, skew: timedelta) -> Line:
    seconds = round(skew.total_seconds())
    if abs(skew) > MOST_SKEW:
        mend = "Signatures are good for 300 s: set the clock." if "machine" in whose else "Ask AWS's support."
        return wrong("clock", f"{whose} clock is {seconds} s off Stripe's.", mend)
    return ok("clock", f"{whose} clock is {seconds} s off Stripe's.")


def _date(headers: Mapping[str, Any]) -> datetime | None:
    said = {name.lower(): value for name, value in headers.items()}.get("date")
    return None if said is None else parsedate_to_datetime(said).astimezone(UTC)
