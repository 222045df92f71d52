"""The machine's clock and random source."""

import base64
from datetime import UTC

import pytest

from marketplace.adapters.system import SystemClock, SystemIds
from marketplace.domain.ids import NOUNS, OWNERS, is_id, owner_of


@pytest.fixture
def ids() -> SystemIds:
    return SystemIds(SystemClock())


def test_the_time_is_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


@pytest.mark.parametrize("noun", sorted(NOUNS))
def test_ids_have_the_shape_of_their_noun_and_differ(ids: SystemIds, noun: str) -> None:
    owner = ids.new(OWNERS[noun]) if noun in OWNERS else None
    made = {ids.new(noun, owner=owner) for _ in range(100)}
    assert len(made) == 100
    assert all(is_id(noun, each) and owner_of(noun, each) == owner for each in made)


def test_a_token_has_256_bits_and_can_stand_in_a_url(ids: SystemIds) -> None:
    token = ids.token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert "=" not in token
    assert token != ids.token()


def test_jitter_is_from_0_to_1(ids: SystemIds) -> None:
    drawn = [ids.jitter() for _ in range(1000)]
    assert all(0 <= each <= 1 for each in drawn)
    assert min(drawn) < 0.1
    assert max(drawn) > 0.9
