"""What is uploaded: the folders of the functions as they lie, and the layer as its Makefile builds it."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.cloud import sam
from local.cloud.places import PROJECT

FUNCTION_ZIP_BYTES = 100_000
LAYER_ZIP_BYTES = 12_000_000
FUNCTIONS = sorted(path for path in (PROJECT / "functions").iterdir() if path.is_dir())


def sources(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def zipped(folder: Path, files: list[Path]) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for file in files:
            written.write(file, file.relative_to(folder))
    return len(archive.getvalue())


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sam.build(tmp_path_factory.mktemp("build") / "sam.log").with_name("MarketplaceLayer")


@pytest.mark.parametrize("folder", FUNCTIONS, ids=lambda folder: folder.name)
def test_a_function_is_its_sources_and_small(folder: Path) -> None:
    files = sources(folder)
    assert files
    assert {file.suffix for file in files} == {".py"}
    assert zipped(folder, files) <= FUNCTION_ZIP_BYTES


def test_the_layer_is_small(layer: Path) -> None:
    files = [path for path in layer.rglob("*") if path.is_file()]
    assert zipped(layer, files) <= LAYER_ZIP_BYTES


def test_the_layer_has_what_the_functions_need_and_nothing_that_the_runtime_brings(layer: Path) -> None:
    packages = {path.name for path in (layer / "python").iterdir()}
    assert {"marketplace", "stripe", "pydantic", "aws_lambda_powertools"} <= packages
    assert not packages & {"boto3", "botocore", "bin"}
    assert not (layer / "python" / "stripe" / "params").exists()
    assert not list((layer / "python").glob("*.dist-info"))


def test_the_layer_comes_with_bytecode_that_is_never_checked(layer: Path) -> None:
    for source in ["marketplace/__init__.py", "stripe/__init__.py", "pydantic/__init__.py"]:
        path = layer / "python" / source
        (compiled,) = (path.parent / "__pycache__").glob("__init__.cpython-313.pyc")
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01, "hash-based and unchecked, see PEP 552"


def test_the_layer_works_by_itself(layer: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(layer / "python")!r})
import pydantic, stripe
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.batch import BatchProcessor
import marketplace.domain.transactions
APIGatewayHttpResolver(enable_validation=True)
stripe.StripeClient("sk_test_none").v2.core.accounts
assert all({str(layer)!r} in module.__file__ for module in (pydantic, stripe, marketplace.domain.transactions))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
