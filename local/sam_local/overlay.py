"""The built template as `sam local` runs it: told where the local cloud is, and able to check tokens."""

import copy
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from local.cloud import CannotRun, Stack
from local.cloud.aws import CREDENTIALS
from local.cloud.places import LOCAL, PROJECT, program_path
from local.cloud.ports import HOST

NAME: Final = "sam-local.yaml"  # beside the built template, whose paths are relative
LAYER: Final = "MarketplaceLayer"
TOKEN_PACKAGES: Final = PROJECT / "requirements" / "tokens.txt"
PLATFORMS: Final = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
FUNCTION: Final = "AWS::Serverless::Function"


def write(built: Path, stack: Stack, architecture: str, address: str) -> Path:
    """Write the template beside the built one, with its layer in a folder of its own.

    ``address`` is where containers reach what listens on this machine.
    """
    layer = LOCAL / "sam-local" / LAYER
    _copy_layer(built.with_name(LAYER), layer, architecture)
    template = overlaid(yaml.safe_load(built.read_text()), environments(stack, address), layer)
    written = built.with_name(NAME)
    written.write_text(yaml.safe_dump(template, sort_keys=False))
    return written


def environments(stack: Stack, address: str) -> dict[str, dict[str, str]]:
    """What each function is told: as it is deployed, and where that is, seen from a container."""
    client = stack.client("lambda")
    where = {
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_DEFAULT_REGION": stack.region,
        **CREDENTIALS,
        "TOKEN_ISSUER": f"https://cognito-idp.{stack.region}.amazonaws.com/{stack.user_pool_id}",
        "TOKEN_AUDIENCE": stack.user_pool_client_id,
        "TOKEN_KEYS_URL": f"{stack.aws_endpoint}/{stack.user_pool_id}/.well-known/jwks.json",
    }
    told = {
        name: {**client.get_function_configuration(FunctionName=deployed)["Environment"]["Variables"], **where}
        for name, deployed in stack.functions.items()
    }
    return {
        name: {variable: value.replace(f"//{HOST}:", f"//{address}:") for variable, value in variables.items()}
        for name, variables in told.items()
    }


def overlaid(template: Mapping[str, Any], environment: Mapping[str, Mapping[str, str]], layer: Path) -> dict[str, Any]:
    """The template with these environments in place of its references, which `sam local` would leave unresolved.

    A function without one is left out: no parameter asked for it, so it was not deployed.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    changed["Globals"]["Function"].pop("Environment")
    functions = [name for name, resource in changed["Resources"].items() if resource["Type"] == FUNCTION]
    for name in functions:
        if name in environment:
            changed["Resources"][name]["Properties"]["Environment"] = {"Variables": dict(environment[name])}
        else:
            del changed["Resources"][name]
    changed["Resources"][LAYER]["Properties"]["ContentUri"] = str(layer)
    return changed


def _copy_layer(built: Path, layer: Path, architecture: str) -> None:
    shutil.rmtree(layer, ignore_errors=True)
    shutil.copytree(built, layer)
    done = subprocess.run(
        ["uv", "pip", "install", "--quiet", "--require-hashes", "--requirement", TOKEN_PACKAGES, "--only-binary",
         ":all:", "--python-version", "3.13", "--python-platform", PLATFORMS[architecture], "--target",
         layer / "python"],
        env={**os.environ, "PATH": program_path()}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise CannotRun(f"What checks tokens could not be installed:\n{done.stderr}")
