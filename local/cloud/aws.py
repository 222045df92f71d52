"""MiniStack, the local AWS, and clients for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from boto3.session import Session
from botocore.config import Config

from .places import program_path, tool
from .ports import HOST
from .processes import serving

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}  # MiniStack takes any
INHERITED: Final = ("HOME", "LANG", "TZ")

AwsClient = Any  # boto3 makes the methods of a client at run time


@contextmanager
def ministack(*, port: int, folder: Path) -> Iterator[None]:
    """A MiniStack with nothing in it. Its functions inherit its environment, so that is made, not inherited."""
    scratch = folder / "tmp"  # each function's copy of the layer is unpacked here
    scratch.mkdir(parents=True)
    environment = {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        **CREDENTIALS,
        "PATH": program_path(),
        "TMPDIR": str(scratch),
        "AWS_DEFAULT_REGION": REGION,
        "MINISTACK_REGION": REGION,
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "S3_DATA_DIR": str(scratch / "s3"),
        "STATE_DIR": str(scratch / "state"),
        "LAMBDA_WARM_TTL_SECONDS": "3600",  # a cold start here unpacks the layer
        "AUTH": "true",  # a function may do what its role's policies say, and nothing else
        "IOT_MTLS_ENABLED": "0",  # both listen on ports of their own otherwise
        "SFTP_ENABLED": "0",
        "NO_PROXY": HOST,
    }
    log = folder / "ministack.log"
    with serving([tool("cloud", "ministack")], port=port, log=log, environment=environment):
        yield


def client(endpoint: str, service: str, config: Config | None = None) -> AwsClient:
    """A boto3 client of the local AWS, whatever the shell or ``~/.aws`` say of another one."""
    return Session().client(  # type: ignore[call-overload]  # boto3-stubs knows services by literal names only
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )
