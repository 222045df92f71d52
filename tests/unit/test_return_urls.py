"""Browsers are sent to the origins on the list and nowhere else, however a URL is written (S15)."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.errors import InvalidReturnUrl
from marketplace.domain.return_urls import is_origin
from marketplace.edge.settings import InvalidEnvironment, Part, Settings
from marketplace.ports import Policy

LISTED = ("https://shop.example", "http://localhost:3000", "https://pay.shop.example:8443")
POLICY = Policy(default_fee=None, return_origins=frozenset(LISTED), livemode=False)
TRICKS = (
    *("@evil.example", ":@evil.example", ":443@evil.example/", ".evil.example", "-evil.example", "evil.example"),
    *(
        "\\@evil.example",
        "\\.evil.example",
        "/\\evil.example",
        "%2eevil.example",
        "%00.evil.example",
        "%40evil.example",
    ),
    *(":80", ":0443", ":3000:80", ":99999", ":", ":x", "\t.evil.example", "\n//evil.example", "\x00", "\x7f", " "),
    *("。evil.example", "\uff0eevil.example", "\uff0f@evil.example", "\u2024evil.example", "\u200b", "\u0130", "é"),
    *("/thanks", "/a?b=c#d", "#/thanks", "?x=https://evil.example", "/{CHECKOUT_SESSION_ID}", "//evil.example", ""),
    *("/@evil.example", "?@evil.example", "#@evil.example", "/..//evil.example", "/%0d%0aLocation:x", "/;a=b"),
)
BEFORE = (
    "",
    " ",
    "\t",
    "\n",
    "\x00",
    "\ufeff",
    "//",
    "\\\\",
    "javascript:",
    "https:",
    "view-source:",
    "http://evil.example#",
    "data:,",
)


def where_browsers_go(url: str) -> str | None:
    """The origin by the rules of browsers (https://url.spec.whatwg.org), as far as they forgive more than we do."""
    text = re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(0x21)))))
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in {"http", "https"}:
        return None
    authority = re.split(r"[/?#]", rest.replace("\\", "/").lstrip("/"), maxsplit=1)[0]
    parts = urlsplit(f"{scheme.lower()}://{authority}")
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def accepted(url: str) -> bool:
    try:
        return POLICY.require_return_url(url) == url
    except InvalidReturnUrl:
        return False


pieces = st.one_of(
    st.sampled_from(TRICKS), st.sampled_from(LISTED), st.text(max_size=3), st.sampled_from("/\\@:#?.%[]{}\t\n")
)


@given(before=st.sampled_from(BEFORE), origin=st.sampled_from(LISTED), rest=st.lists(pieces, max_size=4).map("".join))
def test_s15_whatever_is_accepted_leads_a_browser_to_a_listed_origin(before: str, origin: str, rest: str) -> None:
    url = before + origin + rest
    if accepted(url):
        assert where_browsers_go(url) in LISTED
        assert url.startswith(LISTED)
        assert url.isascii()
        assert not re.search(r"[\\\s\x00-\x1f\x7f]", url)


@given(origin=st.sampled_from(LISTED), trick=st.sampled_from(TRICKS))
def test_s15_what_leads_elsewhere_is_refused(origin: str, trick: str) -> None:
    url = origin + trick
    try:
        leads_to = where_browsers_go(url)
    except ValueError:  # no host or port that there could be
        leads_to = None
    if leads_to not in LISTED:
        assert not accepted(url)


@given(text=st.text(max_size=40))
def test_s15_no_text_is_more_than_refused(text: str) -> None:
    assert not accepted(text) or text.startswith(LISTED)


@pytest.mark.parametrize("origin", LISTED)
@pytest.mark.parametrize("rest", ["", "/", "/thanks?order=1&x=%20y", "#/cart", "/{CHECKOUT_SESSION_ID}", "?a=[1]|~"])
def test_what_marketplaces_use_is_accepted(origin: str, rest: str) -> None:
    assert accepted(origin + rest)


@pytest.mark.parametrize(
    "url",
    [
        "//shop.example/", "/thanks", "shop.example", "HTTPS://shop.example/", "https://SHOP.example/", "http://shop.example/",
        "https://shop.example:443/", "https://shop.example./", "https:/shop.example/", "https:shop.example", "",
        "https://user@shop.example/", "https://shop.example@evil.example/", "https://shop.example\\@evil.example/",
        "https://shop.example\u3002evil.example/", "javascript://shop.example/%0aalert(1)", "https://sh\top.example/",
        "http://localhost:3000.evil.example/", "http://localhost:30000/", "http://localhost/", "https://\uff53hop.example/",
    ],
)  # fmt: skip
def test_s15_the_known_tricks(url: str) -> None:
    assert not accepted(url)


@pytest.mark.parametrize(
    "text", ["https://user@shop.example", "https://shop.example/", "*", "https://*.shop.example", "ftp://shop.example"]
)
def test_a_list_with_what_is_no_origin_lets_nothing_start(text: str) -> None:
    assert not is_origin(text)
    with pytest.raises(InvalidEnvironment, match="RETURN_ORIGINS"):
        Settings.of({"RETURN_ORIGINS": f"https://a.example,{text}"}, Part.RETURNS)
