"""`sam build` and `sam deploy` of the project's own template, as a user runs them, into the local AWS."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .aws import ACCOUNT, CREDENTIALS, REGION, client
from .failures import CannotRun
from .places import LOCAL, PROJECT, program_path, tool
from .processes import failure

STACK_NAME: Final = "marketplace-payments"
BUCKET: Final = "sam-artifacts"
ARCHITECTURES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
BUILD_SECONDS: Final = 300
DEPLOY_SECONDS: Final = 300
FOREIGN: Final = ("AWS_", "STRIPE_")  # another account's settings, and keys, are no business of these commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A deployed stack: its outputs, its functions' names and its aliases' ARNs by their logical ids, and the OpenAPI
    document of its API."""

    outputs: Mapping[str, str]
    functions: Mapping[str, str]
    aliases: Mapping[str, str]
    api: Mapping[str, Any]

    @property
    def arns(self) -> dict[str, str]:
        """What the API calls, by logical id."""
        prefix = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
        return {**{each: f"{prefix}:{name}" for each, name in self.functions.items()}, **self.aliases}


def architecture() -> str:
    """This machine's, which the functions run on."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        raise CannotRun(f"There are no Lambda functions for {machine} processors.")
    return ARCHITECTURES[machine]


def build(log: Path) -> Path:
    """The built template. Functions are used where they lie, so only the layer and the template make a build old.

    Raises:
        CannotRun: a tool is missing, or the build failed.
    """
    if shutil.which("uv", path=program_path()) is None:
        raise CannotRun("uv is not installed: run `make setup` first.")
    template = LOCAL / "build" / _fingerprint() / "template.yaml"
    if not template.exists():
        unfinished = template.parent.with_name(f"{template.parent.name}.{os.getpid()}")
        _sam(
            ["build", "--build-dir", str(unfinished), "--parameter-overrides", f"Architecture={architecture()}"],
            log=log,
            environment={"VIRTUAL_ENV": sys.prefix},  # uv compiles the layer's bytecode with this Python
            seconds=BUILD_SECONDS,
        )
        _keep(unfinished, template.parent)
    return template


def deploy(
    template: Path, *, endpoint: str, api_id: str, parameters: Mapping[str, str], log: Path,
    stack_name: str = STACK_NAME,
) -> Deployed:  # fmt: skip
    """Deploy a built template. ``api_id`` becomes the id of its HTTP API, so that its URL is known beforehand.

    Raises:
        CannotRun: the deploy failed.
    """
    client(endpoint, "s3").create_bucket(Bucket=BUCKET)
    overrides = [f"{name}={json.dumps(value)}" for name, value in parameters.items()]  # quoted, for SAM to read
    _sam(
        ["deploy", "--template-file", str(template), "--stack-name", stack_name, "--no-resolve-s3",
         "--s3-bucket", BUCKET, "--tags", f"ms-custom-id={api_id}", "--no-confirm-changeset", "--no-progressbar",
         "--capabilities", "CAPABILITY_IAM",
         "--parameter-overrides", *overrides],
        log=log,
        environment={"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION, "SAM_CLI_POLL_DELAY": "0.2",
                     **CREDENTIALS},
        seconds=DEPLOY_SECONDS,
    )  # fmt: skip
    cloudformation = client(endpoint, "cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    resources = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
    translated = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    return Deployed(
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]},
        functions=_physical_ids(resources, "AWS::Lambda::Function"),
        aliases=_physical_ids(resources, "AWS::Lambda::Alias"),
        api=translated["Resources"]["Api"]["Properties"]["Body"],
    )


def _physical_ids(resources: Iterable[Mapping[str, str]], kind: str) -> dict[str, str]:
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources if each["ResourceType"] == kind}


def _sam(arguments: list[str], *, log: Path, environment: Mapping[str, str], seconds: int) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    with log.open("ab") as output:
        done = subprocess.run(
            [tool("sam", "sam"), *arguments],
            cwd=PROJECT,
            env={**inherited, "PATH": program_path(), "SAM_CLI_TELEMETRY": "0", "NO_PROXY": "127.0.0.1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=seconds,
            check=False,
        )
    if done.returncode:
        raise failure(f"`sam {arguments[0]}` failed", log)


def _fingerprint() -> str:
    """A hash of all that a build is made from."""
    digest = hashlib.sha256(architecture().encode())
    sources = [path for path in (PROJECT / "shared").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted([PROJECT / "template.yaml", PROJECT / "requirements" / "sam.txt", *sources]):
        digest.update(f"{path.relative_to(PROJECT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _keep(unfinished: Path, finished: Path) -> None:
    """Put a build in its place, unless another run was faster, and forget those that are old by now."""
    try:
        unfinished.rename(finished)
    except OSError:
        shutil.rmtree(unfinished)
    builds = sorted(
        (path for path in finished.parent.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for old in builds[:-3]:
        shutil.rmtree(old, ignore_errors=True)
