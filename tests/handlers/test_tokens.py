"""Tokens that functions check themselves, under `sam local`: what API Gateway would refuse is refused, with a 401."""

import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import ModuleType
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from marketplace.edge.tokens import checked_claims, claims_of

from .backend import NOBODY, Backend, User

ISSUER = "https://issuer.example"
AUDIENCE = "the-api"
BUYERS: dict[str, Any] = {"cognito:groups": ["buyer"]}


@cache
def private_key(name: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65_537, key_size=2_048)


def token(key: RSAPrivateKey | str | None = None, *, algorithm: str = "RS256", kid: str = "one", **claims: Any) -> str:
    """A token of an operator; a claim that is None is left out."""
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "operator-1", "exp": int(time.time()) + 60,
        "cognito:groups": ["operator"],
    }  # fmt: skip
    held = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    signing: Any = None if algorithm == "none" else key or private_key("one")
    return jwt.encode(held, signing, algorithm=algorithm, headers={"kid": kid})


class Keys(BaseHTTPRequestHandler):
    """The issuer's published keys."""

    def do_GET(self) -> None:
        key = {**json.loads(RSAAlgorithm.to_jwk(private_key("one").public_key())), "kid": "one", "use": "sig"}
        body = json.dumps({"keys": [key]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def keys_url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Keys)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    server.shutdown()
    server.server_close()


@pytest.fixture
def checking(
    functions: dict[str, ModuleType], backend: Backend, keys_url: str, monkeypatch: pytest.MonkeyPatch
) -> Backend:
    """The functions where no authorizer stands before them."""
    claims = checked_claims(issuer=ISSUER, audience=AUDIENCE, keys_url=keys_url)
    monkeypatch.setattr(functions["merchants.app"].app, "_claims_of", claims)
    return backend


def ask(backend: Backend, headers: Mapping[str, str], user: User = NOBODY) -> tuple[int, str | None]:
    answer = backend.send(user, "GET", "/merchants", headers=headers)
    return answer.status, None if answer.status == 200 else answer.problem


def bearer(said: str) -> dict[str, str]:
    return {"authorization": f"Bearer {said}"}


def test_a_token_of_the_issuer_makes_a_caller(checking: Backend) -> None:
    assert ask(checking, bearer(token())) == (200, None)
    assert ask(checking, {"authorization": f"bearer {token(aud=['another', AUDIENCE])}"}) == (200, None)
    assert ask(checking, bearer(token(**BUYERS))) == (403, "not-allowed")


FORGED: dict[str, Any] = {
    "none at all": {},
    "an empty one": {"authorization": "Bearer "},
    "no scheme": {"authorization": token()},
    "another scheme": {"authorization": f"Basic {token()}"},
    "not a token": bearer("a.b.c"),
    "expired": bearer(token(exp=int(time.time()) - 1)),
    "not yet": bearer(token(nbf=int(time.time()) + 600)),
    "for others": bearer(token(aud="another-api")),
    "of another issuer": bearer(token(iss="https://other.example")),
    "without an end": bearer(token(exp=None)),
    "without an audience": bearer(token(aud=None)),
    "without an issuer": bearer(token(iss=None)),
    "without a subject": bearer(token(sub=None)),
    "another key": bearer(token(private_key("two"))),
    "a key that is not published": bearer(token(private_key("two"), kid="two")),
    "another algorithm": bearer(token("a secret of thirty-two characters", algorithm="HS256")),
    "no signature": bearer(token().rpartition(".")[0] + "."),
    "other claims": bearer(".".join([token().split(".")[0], token(sub="me").split(".")[1], token().split(".")[2]])),
}


@pytest.mark.parametrize("how", FORGED)
def test_what_the_issuer_did_not_sign_for_this_api_is_answered_with_401(checking: Backend, how: str) -> None:
    assert ask(checking, FORGED[how]) == (401, "not-authenticated")


def test_an_unsigned_token_is_refused(checking: Backend) -> None:
    assert ask(checking, bearer(token(algorithm="none"))) == (401, "not-authenticated")


def test_claims_in_the_event_that_nobody_checked_are_not_looked_at(checking: Backend) -> None:
    claimed = User({"sub": "operator-1", "cognito:groups": "[operator]"})
    assert ask(checking, {}, claimed) == (401, "not-authenticated")
    assert ask(checking, bearer(token(**BUYERS)), claimed) == (403, "not-allowed")


def test_while_the_keys_cannot_be_read_nobody_is_told_that_his_token_is_wrong(
    functions: dict[str, ModuleType], backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = checked_claims(issuer=ISSUER, audience=AUDIENCE, keys_url="http://127.0.0.1:9/jwks.json")
    monkeypatch.setattr(functions["merchants.app"].app, "_claims_of", nowhere)
    assert ask(backend, bearer(token())) == (503, "unavailable")


def test_a_token_is_looked_at_only_where_the_keys_are_named(functions: dict[str, ModuleType], backend: Backend) -> None:
    assert claims_of(functions["merchants.app"].settings)({"headers": bearer(token())}) == {}
    assert ask(backend, bearer(token())) == (401, "not-authenticated")


def test_tokens_for_anybody_are_not_taken(keys_url: str) -> None:
    for issuer, audience in (("", AUDIENCE), (ISSUER, "")):
        with pytest.raises(ValueError, match="anybody"):
            checked_claims(issuer=issuer, audience=audience, keys_url=keys_url)
