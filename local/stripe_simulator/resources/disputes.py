"""Disputes, and what the laboratory orders of them. https://docs.stripe.com/api/disputes

POST /_simulator/charges/{charge}/dispute    {"amount": 5000, "reason": "fraudulent", "inquiry": false,
                                              "compliance": false}, all optional
POST /_simulator/disputes/{dispute}/decide   {"outcome": "won" | "lost" | "escalated" | "closed"}
"""

from collections.abc import Mapping
from typing import Any, Final

from ..context import Context
from ..errors import InvalidParameterError, InvalidRequestError, ResourceMissingError, UnsupportedError
from ..funds import disputes
from ..funds.charges import opening_of
from ..funds.dispute_records import COMPLIANCE, FILES, REASONS, TEXTS, Claim
from ..funds.disputes import DISPUTES, INQUIRY, TRANSITIONS
from ..funds.records import CHARGES
from ..lists import list_object
from ..metadata import merged
from ..money import step
from ..routing import Routes
from ..values import Object
from .files import FILES as UPLOADS

routes = Routes(DISPUTES)

MAXIMUM_EVIDENCE_CHARACTERS: Final = 150_000
_TEXT_DECIDES: Final = {
    "winning_evidence": {False: "won", True: "warning_closed"},
    "losing_evidence": {False: "lost", True: "warning_closed"},
    "escalate_inquiry_evidence": {True: "needs_response"},
}
"""What ``uncategorized_text`` leads to, for a dispute and for an inquiry. https://docs.stripe.com/testing#evidence"""
_OUTCOMES: Final = {"won": "won", "lost": "lost", "escalated": "needs_response", "closed": "warning_closed"}
_FOLLOWED_METHODS: Final = ("manual", "prefer_manual")


@routes.api("GET", "/v1/disputes/{dispute}")
def retrieve(context: Context, dispute: str) -> Object:
    """The dispute as it stands."""
    return disputes.refreshed(context, context.state.get(DISPUTES, dispute))


@routes.api("GET", "/v1/disputes")
def list_disputes(context: Context) -> Object:
    """Disputes, newest first."""
    found = context.list(DISPUTES, {name: context.params.get(name) for name in ("charge", "payment_intent")})
    data = [disputes.refreshed(context, each) for each in found["data"]]
    return list_object(data, found["url"], has_more=found["has_more"])


@routes.api("POST", "/v1/disputes/{dispute}")
def update(context: Context, dispute: str) -> Object:
    """Give evidence, which is handed in at once unless ``submit`` is false; change metadata."""
    params = context.params
    before = context.state.get(DISPUTES, dispute)
    if "intended_submission_method" in params:
        if params["intended_submission_method"] not in _FOLLOWED_METHODS:
            context.unsupported("intended_submission_method")
        intended = {"intended_submission_method": params["intended_submission_method"]}
        before = context.state.update(DISPUTES, before, intended)
    evidence = _evidence(context, before)
    metadata = merged(before["metadata"], params.get("metadata"))
    submits = params.get("submit", "evidence" in params)
    if submits and not _acknowledges_fee(before, evidence):
        raise InvalidRequestError(
            "Acknowledge the network's fee to contest this dispute.",
            param=f"evidence[enhanced_evidence][{COMPLIANCE}][fee_acknowledged]",
        )
    return disputes.respond(context, before, evidence, submits=submits, metadata=metadata)


@routes.api("POST", "/v1/disputes/{dispute}/close")
def close(context: Context, dispute: str) -> Object:
    """Accept the dispute as lost; nothing undoes it."""
    before = context.state.get(DISPUTES, dispute)
    disputes.require_answerable(before)
    return disputes.decide(context, before, "warning_closed" if before["status"] in INQUIRY else "lost")


@routes.page("POST", "/_simulator/charges/{charge}/dispute")
def order(context: Context, charge: str) -> Object:
    """Let the buyer of a charge dispute it, or ask about it, as a whole or in part."""
    params = context.params
    claim = Claim(params.get("reason", "fraudulent"), params.get("inquiry", False), params.get("compliance", False))
    amount = params.get("amount")
    if claim.reason not in REASONS:
        raise InvalidParameterError(f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
    flags = (claim.is_inquiry, claim.is_compliance)
    if (amount is not None and type(amount) is not int) or not all(isinstance(flag, bool) for flag in flags):
        raise InvalidParameterError(
            "Give the amount as a whole number of the minor unit, inquiry and compliance as true or false.",
            param="amount",
        )
    holder = context.on(context.state.holder_of(CHARGES, charge).account)
    found = holder.state.get(CHARGES, charge)
    return disputes.open_dispute(holder, found, amount, claim)


@routes.page("POST", "/_simulator/disputes/{dispute}/decide")
def order_outcome(context: Context, dispute: str) -> Object:
    """Let the bank decide."""
    outcome = context.params.get("outcome")
    if outcome not in _OUTCOMES:
        raise InvalidParameterError(f"Invalid outcome: must be one of {', '.join(_OUTCOMES)}", param="outcome")
    holder = context.on(context.state.holder_of(DISPUTES, dispute).account)
    return disputes.decide(holder, holder.state.get(DISPUTES, dispute), _OUTCOMES[outcome])


@routes.due("charge.dispute")
def begin(context: Context, charge: str) -> None:
    """A test card disputes what was paid with it."""
    found = context.state.get(CHARGES, charge)
    opening = opening_of(found)
    if opening is None:
        raise LookupError(f"the card of {charge} opens no dispute")
    share = found["amount_captured"] // opening.parts // step(found["currency"]) * step(found["currency"])
    for left in range(opening.parts, 0, -1):
        amount = share if left > 1 and share else None
        current = context.state.get(CHARGES, charge)
        claim = Claim(opening.reason, opening.is_inquiry, opening.is_compliance)
        disputes.open_dispute(context, current, amount, claim)
        if amount is None:
            return


@routes.due("dispute.review")
def review(context: Context, dispute: str) -> None:
    """The bank has read the evidence; without one of the test texts it says nothing."""
    found = context.state.get(DISPUTES, dispute)
    decided = _TEXT_DECIDES.get(found["evidence"]["uncategorized_text"], {}).get(found["status"] in INQUIRY)
    if decided in TRANSITIONS[found["status"]]:
        disputes.decide(context, found, decided)


@routes.due("dispute.lapse")
def lapse(context: Context, dispute: str) -> None:
    """Nobody answered in time: a dispute is lost, an inquiry closes."""
    found = context.state.get(DISPUTES, dispute)
    if found["evidence_details"]["due_by"] > context.clock.now():
        return
    if found["status"] == "needs_response":
        details = {**found["evidence_details"], "past_due": True}
        late = context.state.update(DISPUTES, found, {"evidence_details": details})
        disputes.decide(context, late, "lost")
    elif found["status"] in INQUIRY - {"warning_closed"}:
        disputes.decide(context, found, "warning_closed")


def _evidence(context: Context, before: Object) -> Object:
    given: dict[str, Any] = context.params.get("evidence") or {}
    if "appeal" in given:
        raise UnsupportedError(f"the parameter evidence[appeal] of {context.path}")
    for name in FILES:
        if given.get(name) and context.state.find(UPLOADS, given[name]) is None:
            raise ResourceMissingError("file", given[name], param=f"evidence[{name}]")
    evidence = {**before["evidence"], **{name: given[name] for name in TEXTS + FILES if name in given}}
    if given.get("enhanced_evidence"):
        evidence["enhanced_evidence"] = _enhanced(context, before, given["enhanced_evidence"])
    if sum(len(evidence[name] or "") for name in TEXTS) > MAXIMUM_EVIDENCE_CHARACTERS:
        raise InvalidParameterError(
            f"The evidence may have at most {MAXIMUM_EVIDENCE_CHARACTERS} characters in all.", param="evidence"
        )
    return evidence


def _enhanced(context: Context, before: Object, given: Object) -> Object:
    """Whether the fee of a dispute about Visa's rules is accepted; other enhanced evidence is not taken."""
    for name in given:
        if name != COMPLIANCE:
            raise UnsupportedError(f"the parameter evidence[enhanced_evidence][{name}] of {context.path}")
    if COMPLIANCE not in before["enhanced_eligibility_types"]:
        raise InvalidRequestError(
            f"This dispute is not eligible for {COMPLIANCE}.", param=f"evidence[enhanced_evidence][{COMPLIANCE}]"
        )
    accepted = given[COMPLIANCE] if isinstance(given[COMPLIANCE], Mapping) else {}
    return {COMPLIANCE: {"fee_acknowledged": accepted.get("fee_acknowledged", False)}}


def _acknowledges_fee(before: Object, evidence: Object) -> bool:
    is_asked = COMPLIANCE in before["enhanced_eligibility_types"]
    return not is_asked or bool(evidence["enhanced_evidence"].get(COMPLIANCE, {}).get("fee_acknowledged"))
