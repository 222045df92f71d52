"""An OIDC issuer of the test's own on 127.0.0.1: a key made now, discovery, tokens as a test wants them."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_ID: Final = "key-1"
LIFETIME_SECONDS: Final = 3_600


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@dataclass(frozen=True)
class Issuer:
    """``url`` is what tokens name as ``iss``."""

    url: str
    audience: str
    key: rsa.RSAPrivateKey

    def token(
        self, claims: Mapping[str, Any], *, signed_by: rsa.RSAPrivateKey | None = None, algorithm: str = "RS256"
    ) -> str:
        """A token of a user with these claims, signed with the issuer's key unless another is given."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": self.audience, "iat": now, "exp": now + LIFETIME_SECONDS}
        head = {"alg": algorithm, "typ": "JWT", "kid": KEY_ID}
        signed = f"{_segment(head)}.{_segment(usual | dict(claims))}"
        signature = (signed_by or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{'' if algorithm == 'none' else _text(signature)}"

    def documents(self) -> dict[str, Any]:
        """What it publishes, by path."""
        numbers = self.key.public_key().public_numbers()
        modulus = _text(numbers.n.to_bytes(256, "big"))
        public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": modulus, "e": "AQAB"}
        return {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/keys": {"keys": [public]},
        }


@contextmanager
def running_issuer(audience: str) -> Iterator[Issuer]:
    """An issuer, as long as it is needed."""

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = issuer.documents().get(self.path)
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}", audience, new_key())
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _segment(said: Mapping[str, Any]) -> str:
    return _text(json.dumps(said).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
