"""What expires is gone when its time has come, though DynamoDB removes it later."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from marketplace.domain.books import EventMarker, IdempotencyRecord
from marketplace.domain.merchants import Merchant, OnboardingLink
from marketplace.domain.principals import SYSTEM
from marketplace.domain.transactions import Transaction
from marketplace.ports import Conflict, Create, Ref, Store
from tests.contract.examples import Examples, StillClock, create

SECOND = timedelta(seconds=1)


def expiring(examples: Examples, sale: Transaction, merchant: Merchant) -> dict[Ref[Any], Any]:
    inside, outside = examples.idempotency(sale), examples.idempotency(None)
    marker, link = examples.marker(), examples.link(merchant)
    return {
        Ref(IdempotencyRecord, inside.scope, owner=sale.id): inside,
        Ref(IdempotencyRecord, outside.scope): outside,
        Ref(EventMarker, marker.event_id): marker,
        Ref(OnboardingLink, link.token_hash): link,
    }


def test_what_has_expired_is_absent_though_it_is_still_stored(
    store: Store, clock: StillClock, examples: Examples, sale: Transaction, merchant: Merchant
) -> None:
    items = expiring(examples, sale, merchant)
    create(store, items.values())
    for ref, item in items.items():
        clock.time = item.expires_at - SECOND
        assert store.get(ref)(ref) == item
        clock.time = item.expires_at
        assert store.get(ref)(ref) is None
    books = store.books(sale.id, visible_to=SYSTEM)
    assert books is not None
    assert books.idempotency == {}


def test_what_has_expired_can_be_created_again_and_what_has_not_cannot(
    store: Store, clock: StillClock, examples: Examples, sale: Transaction, merchant: Merchant
) -> None:
    for ref, item in expiring(examples, sale, merchant).items():
        later = Create(replace(item, expires_at=item.expires_at + timedelta(days=365)))
        store.commit(Create(item))
        clock.time = item.expires_at - timedelta(microseconds=1)
        with pytest.raises(Conflict):
            store.commit(later)
        clock.time = item.expires_at
        store.commit(later)
        assert store.get(ref)(ref) == later.item
        with pytest.raises(Conflict):
            store.commit(Create(item))
