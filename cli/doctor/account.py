"""The platform's account at Stripe: its key, what it may do, how it presents itself, payouts, tax."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import stripe

from ..deployments import Cannot
from ..stripe_keys import Place
from .lines import Line, ok, unknown, warning, wrong
from .patient import LIVE, TEST, Patient

KINDS: Final = {"sk": "a secret key", "rk": "a restricted key"}
DASHBOARD: Final = "https://dashboard.stripe.com"
BRANDING: Final = ("icon", "primary_color")
PROFILE: Final = ("name", "url", "support_email")


def keys(patient: Patient) -> Iterator[Line]:
    """Whether each key is there, of which kind, and of the mode that the deployment is in."""
    for place in patient.places:
        try:
            key = patient.key_at(place)
        except Cannot as problem:
            if place.is_in_use:
                yield wrong(place.name, f"{problem}.", _put_key(patient, place))
            else:
                yield warning(
                    place.name, "There is none yet: StripeKeys=switched has to wait for it.", _put_key(patient, place)
                )
        else:
            yield _of_key(patient, place, key)


def _of_key(patient: Patient, place: Place, key: str) -> Line:
    kind, _, rest = key.partition("_")
    mode = rest.partition("_")[0]
    if kind not in KINDS or mode not in {TEST, LIVE}:
        return wrong(place.name, "It is no secret or restricted key (sk_..., rk_...).", _put_key(patient, place))
    if (mode == LIVE) is not patient.is_live:
        mend = (
            "Put the other mode's key into the secret, or deploy with the other Livemode: all events are ignored now."
        )
        return wrong(place.name, f"It is a {mode} key, and Livemode is {str(patient.is_live).lower()}.", mend)
    if kind == "sk" and (patient.is_live or place.group):
        mend = "Make a restricted one: docs/stripe-keys.md."
        return warning(place.name, "It is a secret key, which may do anything.", mend)
    return ok(place.name, f"It is {KINDS[kind]} for {mode} mode, as the deployment is.")


def account(patient: Patient) -> Iterator[Line]:
    """What the account may do, and what buyers are shown of it."""
    yield from of_account(patient.stripe.v1.accounts.retrieve_current().to_dict())


def of_account(found: Mapping[str, Any]) -> Iterator[Line]:
    """The lines about the account's object."""
    for name, may in (("charges_enabled", "take payments"), ("payouts_enabled", "be paid out")):
        if found.get(name):
            yield ok("account", f"It may {may}.")
        else:
            yield wrong("account", f"It may not {may}.", f"Finish its activation: {DASHBOARD}/account/onboarding.")
    due = (found.get("requirements") or {}).get("currently_due") or []
    if due:
        yield warning("account", f"Stripe asks for {', '.join(due)}.", f"Give it: {DASHBOARD}/account/status.")
    settings, profile = found.get("settings") or {}, found.get("business_profile") or {}
    yield from _missing(
        "branding", BRANDING, settings.get("branding") or {}, f"{DASHBOARD}/settings/branding",
        "Buyers and merchants see Stripe's pages without your face.",
    )  # fmt: skip
    yield from _missing(
        "business profile", PROFILE, profile, f"{DASHBOARD}/settings/public", "Buyers do not see whom they paid."
    )
    if not (settings.get("payments") or {}).get("statement_descriptor"):
        yield warning(
            "statement descriptor", "There is none: buyers do not know the line on their statement, and dispute it.",
            f"Set one: {DASHBOARD}/settings/public.",
        )  # fmt: skip


def connect(patient: Patient) -> Iterator[Line]:
    """Whether the account is a platform."""
    try:
        patient.stripe.v2.core.accounts.list({"limit": 1})
    except stripe.PermissionError:
        yield unknown("connect", "The key may not read accounts.", "Give it the right, or look at the Dashboard.")
    except stripe.InvalidRequestError:
        yield wrong("connect", "The account is no platform yet.", f"Activate Connect: {DASHBOARD}/connect.")
    else:
        yield ok("connect", "The account is a platform.")


def payouts(patient: Patient) -> Iterator[Line]:
    """When the platform is paid out, and whether its bank is debited."""
    payments = patient.stripe.v1.balance_settings.retrieve().to_dict().get("payments") or {}
    schedule = (payments.get("payouts") or {}).get("schedule") or {}
    interval = schedule.get("interval")
    if interval == "manual":
        yield warning(
            "payouts", "The platform is paid out by hand only.",
            "Nothing is wrong with that, if somebody does it: Stripe holds money for 90 days at most.",
        )  # fmt: skip
    else:
        yield ok("payouts", f"The platform is paid out {interval}.")
    if not payments.get("debit_negative_balances"):
        yield warning(
            "payouts", "Stripe may not debit the platform's bank for a negative balance.",
            "Refunds and disputes then need topping up: allow it in the payout settings, or watch the balance.",
        )  # fmt: skip


def tax(patient: Patient) -> Iterator[Line]:
    """Whether Stripe Tax can compute what is owed."""
    settings = patient.stripe.v1.tax.settings.retrieve().to_dict()
    active = [
        each.country for each in patient.stripe.v1.tax.registrations.list({"status": "active"}).auto_paging_iter()
    ]  # fmt: skip
    mend = f"{DASHBOARD}/settings/tax. Sales with tax are refused until then."
    if settings["status"] == "active" and active:
        yield ok("tax", f"Tax is collected in {', '.join(sorted(set(active)))}.")
    elif settings["status"] == "active":
        yield warning("tax", "There is no registration: Stripe computes 0 everywhere.", f"Register: {mend}")
    elif active:
        yield wrong("tax", "There are registrations, and no head office.", f"Set it: {mend}")
    else:
        yield ok("tax", "Stripe Tax is not set up; sell without tax, or set it up first.")


def _missing(about: str, names: tuple[str, ...], found: Mapping[str, Any], where: str, so: str) -> Iterator[Line]:
    lacks = [name for name in names if not found.get(name)]
    if lacks:
        yield warning(about, f"It lacks {', '.join(lacks)}. {so}", f"Set it: {where}.")
    else:
        yield ok(about, "It is complete.")


def _put_key(patient: Patient, place: Place) -> str:
    secret = patient.where.output(place.output)
    return f"aws secretsmanager put-secret-value --secret-id {secret} --secret-string rk_..."
