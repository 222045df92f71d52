"""The codec: whatever the domain can say survives it, and records of older and newer code are read."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from marketplace.adapters import codec
from marketplace.adapters.codec import TTL_ATTRIBUTE, decode, encode, time_text
from marketplace.adapters.keys import INDEXES, WORDS
from marketplace.domain.ledger import JournalEntry, Line
from marketplace.domain.merchants import Merchant
from marketplace.domain.transactions import Payment
from tests.contract.examples import START, Examples
from tests.contract.table import table_properties, ttl_attribute

LARGEST = 10**37  # DynamoDB keeps 38 digits
texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
whole_numbers = st.integers(-LARGEST, LARGEST)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.builds(
    lambda microseconds, zone: (START + timedelta(microseconds=microseconds)).astimezone(zone),
    st.integers(-(10**15), 10**16),
    st.just(UTC) | offsets,
)
json_values = st.recursive(
    st.none() | st.booleans() | whole_numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
SIMPLE: dict[Any, SearchStrategy[Any]] = {
    str: texts,
    int: whole_numbers,
    bool: st.booleans(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    datetime: times,
    Any: json_values,
}


@st.composite
def journal_entries(draw: st.DrawFn) -> JournalEntry:
    """Entries balance, or they could not be made."""
    lines = draw(st.lists(values_of(Line), max_size=4))
    balanced = [*lines, *(Line(account="x", currency=line.currency, amount=-line.amount) for line in lines)]
    hints = get_type_hints(JournalEntry)
    drawn = {name: draw(values_of(hint)) for name, hint in hints.items() if name != "lines"}
    return JournalEntry(lines=tuple(balanced), **drawn)


def values_of(hint: Any) -> SearchStrategy[Any]:
    """Anything that a field of this type can hold."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return st.one_of(*(st.none() if each is NoneType else values_of(each) for each in arguments))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is Mapping:
        return st.dictionaries(names, values_of(arguments[1]), max_size=3)
    if hint is JournalEntry:
        return journal_entries()
    if is_dataclass(hint):
        return records(cast("type", hint))
    return SIMPLE[hint] if hint in SIMPLE else st.sampled_from(list(cast("type[StrEnum]", hint)))


def records(kind: type[Any]) -> SearchStrategy[Any]:
    hints = get_type_hints(kind)
    drawn = {field.name: values_of(hints[field.name]) for field in fields(kind)}
    if TTL_ATTRIBUTE in drawn:
        drawn[TTL_ATTRIBUTE] = times.map(lambda time: time.replace(microsecond=0))
    return st.builds(kind, **drawn)


@pytest.mark.parametrize("kind", WORDS)
@given(data=st.data())
def test_whatever_the_domain_can_say_survives(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(values_of(kind))
    assert decode(kind, encode(record)) == record


@given(one=times, other=times)
def test_times_sort_as_text(one: datetime, other: datetime) -> None:
    assert (time_text(one) < time_text(other)) == (one < other)


def test_a_time_is_kept_in_utc_and_one_without_a_zone_is_refused() -> None:
    there = datetime(2026, 11, 23, 17, 30, tzinfo=timezone(timedelta(hours=9, minutes=30)))
    assert time_text(there) == "2026-11-23T08:00:00.000000Z"
    with pytest.raises(ValueError, match="zone"):
        time_text(there.replace(tzinfo=None))


def test_what_expires_is_written_as_dynamodb_removes_it(examples: Examples) -> None:
    assert ttl_attribute() == TTL_ATTRIBUTE
    marker = examples.marker(expires_at=START)
    assert encode(marker)[TTL_ATTRIBUTE] == {"N": str(int(START.timestamp()))}


def test_no_field_has_the_name_of_a_key(examples: Examples) -> None:
    keys = {each["AttributeName"] for each in table_properties()["AttributeDefinitions"]}
    assert keys == {"pk", "sk", *(name for index in INDEXES.values() for name in index)}
    assert not keys & {field.name for kind in WORDS for field in fields(kind)}


def test_what_a_later_version_added_is_not_read(examples: Examples, merchant: Merchant) -> None:
    attributes = encode(merchant) | {"colour": {"S": "green"}}
    assert decode(Merchant, attributes) == merchant


def test_what_an_earlier_version_did_not_write_has_its_default(examples: Examples, merchant: Merchant) -> None:
    payment = examples.new_payment(examples.transaction(merchant))
    attributes = {name: value for name, value in encode(payment).items() if name not in {"refund_count", "version"}}
    assert decode(Payment, attributes) == payment
    with pytest.raises(KeyError, match="amount"):
        decode(Payment, {name: value for name, value in attributes.items() if name != "amount"})


@dataclass(frozen=True)
class LineOfTomorrow:
    account: str
    source: str | None = None
    weight: int = 1


@dataclass(frozen=True)
class EntryOfTomorrow:
    lines: tuple[LineOfTomorrow, ...]


def test_a_line_that_an_earlier_version_wrote_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "AS_LISTS", frozenset({LineOfTomorrow}))
    old = {"lines": {"L": [{"L": [{"S": "a"}]}, {"L": [{"S": "b"}, {"NULL": True}, {"N": "3"}]}]}}
    entry = EntryOfTomorrow(lines=(LineOfTomorrow("a"), LineOfTomorrow("b", weight=3)))
    assert decode(EntryOfTomorrow, old) == entry
    assert decode(EntryOfTomorrow, encode(entry)) == entry


@dataclass(frozen=True)
class EntryOfToday:
    """A journal entry that does not look at its lines itself."""

    lines: tuple[Line, ...]


@pytest.mark.parametrize("value", [1.5, True, "7", None])
def test_an_amount_that_is_no_whole_number_is_never_written(examples: Examples, merchant: Merchant, value: Any) -> None:
    sale = examples.transaction(merchant)
    with pytest.raises(TypeError):
        encode(replace(examples.new_payment(sale), amount=value))
    with pytest.raises(TypeError):
        encode(replace(sale, legs=(replace(sale.legs[0], fee=value),)))
    with pytest.raises(TypeError):
        encode(EntryOfToday(lines=(Line(account="x", currency="usd", amount=value),)))


@pytest.mark.parametrize("value", [1.5, (1, 2), Decimal(1), START, {1}])
def test_params_are_what_json_can_say_without_floats(examples: Examples, value: Any) -> None:
    command = examples.command(examples.id("transaction"), params={"deep": [{"value": value}]})
    with pytest.raises(TypeError):
        encode(command)
