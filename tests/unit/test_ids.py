"""Our ids name their kind, sort by time, and lead to their owner."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.ids import NOUNS, OWNERS, RANDOM_BITS, is_id, make_id, owner_of

moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - st adds it
randoms = st.integers(0, 2**RANDOM_BITS - 1)


def new(noun: str, at: datetime, random: int) -> str:
    owner = make_id(OWNERS[noun], at, random) if noun in OWNERS else None
    return make_id(noun, at, random, owner=owner)


@given(noun=st.sampled_from(sorted(NOUNS)), at=moments, random=randoms)
def test_an_id_is_of_its_noun_alone_and_never_looks_like_stripes(noun: str, at: datetime, random: int) -> None:
    made = new(noun, at, random)
    assert [other for other in NOUNS if is_id(other, made)] == [noun]
    assert "_" not in made


@given(at=moments, later=st.integers(1, 10**9), one=randoms, other=randoms)
def test_ids_sort_by_time(at: datetime, later: int, one: int, other: int) -> None:
    assert make_id("transaction", at, one) < make_id("transaction", at + timedelta(milliseconds=later), other)


@given(noun=st.sampled_from(sorted(OWNERS)), at=moments, random=randoms)
def test_an_id_leads_to_its_owner(noun: str, at: datetime, random: int) -> None:
    owner = make_id(OWNERS[noun], at, random)
    assert owner_of(noun, make_id(noun, at, random ^ 1, owner=owner)) == owner


@given(text=st.text(max_size=80))
def test_anything_else_is_no_id(text: str) -> None:
    assert not any(is_id(noun, text) for noun in NOUNS)
    assert owner_of("price", text) is None
