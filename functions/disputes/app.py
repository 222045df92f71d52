"""Disputes: what a buyer's bank takes back, and what it is answered."""

import base64
import binascii
import os
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from marketplace.adapters import wiring
from marketplace.domain.errors import InvalidFile
from marketplace.domain.ids import owner_of
from marketplace.domain.principals import Principal
from marketplace.edge.dispute_views import DisputeView
from marketplace.edge.evidence import EvidenceBody, EvidenceView
from marketplace.edge.fields import DEFAULT_PAGE, Cursor, Filter, Limit, RequestModel
from marketplace.edge.idempotency import IdempotencyKey, once
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api, Caller
from marketplace.edge.settings import Part, Settings
from marketplace.edge.views import Listing, View
from marketplace.services import disputes
from marketplace.services.idempotency import Once

LARGEST_BODY_BYTES: Final = 5 * 1024 * 1024  # a file of 3.5 MB in base64

settings = Settings.of(os.environ, Part.TABLE, Part.STRIPE, Part.CALLERS, Part.MONEY)
invocation = Invocation()
ports = wiring.ports(settings, invocation)
app = Api(settings, invocation, largest_body=LARGEST_BODY_BYTES)
handler = app.resolve


class FileBody(RequestModel):
    """A document for the buyer's bank."""

    content: Annotated[str, Field(min_length=1, description="A PDF, JPEG or PNG of at most 3.5 MB, as base64.")]


class FileView(View):
    """Stripe's id of a document, for evidence to name."""

    id: str


@app.get("/disputes")
def list_disputes(
    caller: Caller, merchant_id: Filter = None, cursor: Cursor = None, limit: Limit = DEFAULT_PAGE
) -> Listing[DisputeView]:
    """Disputes, newest first: a merchant's own, or for operators of one merchant or of all."""
    page = disputes.list_disputes(ports, caller, merchant_id=merchant_id, cursor=cursor, limit=limit)
    return Listing(data=[DisputeView.seen_by(caller, each) for each in page.items], cursor=page.cursor)


@app.get("/disputes/<dispute_id>")
def read_dispute(dispute_id: str, caller: Caller) -> DisputeView:
    """A dispute, and who bears it."""
    return DisputeView.seen_by(caller, disputes.read_dispute(ports, caller, dispute_id))


@app.get("/disputes/<dispute_id>/evidence")
def read_evidence(dispute_id: str, caller: Caller) -> EvidenceView:
    """What is staged or was submitted: to operators, and to the merchant of a sale that is its alone."""
    return EvidenceView(**disputes.read_evidence(ports, caller, dispute_id))


@app.patch("/disputes/<dispute_id>/evidence")
def stage_evidence(dispute_id: str, body: EvidenceBody, caller: Caller) -> EvidenceView:
    """Stage evidence, beside what is staged or in its place. Nothing goes to the bank before it is submitted."""
    staged = body.model_dump(exclude_none=True)
    return EvidenceView(**disputes.stage_evidence(ports, caller, dispute_id, staged))


@app.post("/disputes/<dispute_id>/files", status_code=HTTPStatus.CREATED)
def upload_file(dispute_id: str, body: FileBody, caller: Caller) -> FileView:
    """Give Stripe a document that evidence can name."""
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidFile("the content is not base64") from None
    return FileView(id=disputes.upload_file(ports, caller, dispute_id, content))


@app.post("/disputes/<dispute_id>/submit")
def submit_evidence(dispute_id: str, key: IdempotencyKey, caller: Caller) -> DisputeView:
    """Send what is staged to the buyer's bank, once and for all."""
    wanted = _once(caller, dispute_id, "submit", key)
    return DisputeView.seen_by(caller, disputes.submit_evidence(ports, caller, dispute_id, wanted))


@app.post("/disputes/<dispute_id>/accept")
def accept_dispute(dispute_id: str, key: IdempotencyKey, caller: Caller) -> DisputeView:
    """Give a dispute up; nothing undoes it."""
    wanted = _once(caller, dispute_id, "accept", key)
    return DisputeView.seen_by(caller, disputes.accept_dispute(ports, caller, dispute_id, wanted))


def _once(caller: Principal, dispute_id: str, act: str, key: str) -> Once:
    sale = owner_of("dispute", dispute_id)
    return once(caller, f"POST /disputes/{dispute_id}/{act}", key, RequestModel(), subject=sale)
