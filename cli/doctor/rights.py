"""What each key may do: each kind of object that its functions use is read once, one object at most.

Reading is harmless. Writing cannot be tried without writing, so the rights to write are named and not checked.
"""

from collections.abc import Iterator
from operator import attrgetter

import stripe

from ..deployments import Cannot
from ..stripe_keys import Level, Place, Right, needed_by
from .lines import Line, ok, unknown, wrong
from .patient import Patient


def rights(patient: Patient) -> Iterator[Line]:
    """Of each key a line for every right that it lacks, one for those that it has, one for those not to be tried."""
    for place in patient.places:
        try:
            key = patient.key_at(place)
        except Cannot:
            continue  # which is what the check of the keys says
        if place.rights:
            yield from _of_key(patient, place, key)


def _of_key(patient: Patient, place: Place, key: str) -> Iterator[Line]:
    client, account = patient.client_of(key), patient.some_account
    lacking = list(_lacking(client, place, account))
    yield from lacking
    if not lacking:
        yield ok("rights", f"The {place.name} may read all that it must.")
    if account is None and any(right.connect for right in place.rights):
        yield unknown("rights", f"What the {place.name} may read of connected accounts: there is none yet.")
    if key.startswith("rk_"):
        written = [right.resource.name for right in place.rights if Level.WRITE in {right.own, right.connect}]
        if written:
            mend = "Compare it with docs/stripe-keys.md."
            yield unknown("rights", f"Whether the {place.name} may write {', '.join(written)}.", mend)


def _lacking(client: stripe.StripeClient, place: Place, account: str | None) -> Iterator[Line]:
    for right in place.rights:
        probe, name = right.resource.probe, right.resource.name
        if probe is None:
            continue
        if right.own and not may_read(client, probe):
            yield _wrong(place, right, name, f"{name}: {right.own}")
        if right.connect and account and not may_read(client, probe, account):
            yield _wrong(place, right, f"{name} of connected accounts", f"{name}: {right.connect}, Connect permissions")


def _wrong(place: Place, right: Right, what: str, give: str) -> Line:
    needs = ", ".join(sorted(needed_by(right.resource, place.group)))
    return wrong("rights", f"The {place.name} may not read {what}, needed for {needs}.", f"Give it {give}.")


def may_read(client: stripe.StripeClient, probe: str, account: str | None = None) -> bool:
    """Whether the key may; any answer but a refusal of the right says that it may."""
    params = {"limit": 1} if probe.endswith(".list") else {}
    try:
        attrgetter(probe)(client)(params, {"stripe_account": account} if account else {})
    except stripe.PermissionError:
        return False
    except stripe.InvalidRequestError:
        return True
    return True
