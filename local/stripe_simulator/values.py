"""What JSON holds, as types."""

from collections.abc import Mapping
from typing import Any

type Json = Any
"""Anything that JSON can write; its readers find out what it is."""

type Object = Mapping[str, Any]
"""An API object as it stood at some moment. A change makes a new one; none is ever altered, so events can keep it."""
