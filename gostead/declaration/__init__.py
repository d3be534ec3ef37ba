"""What a host should be: layered YAML, validated, frozen, with the line each value comes from."""

from gostead.declaration.go_setup import GoSetup
from gostead.declaration.load import Declared, System, load
from gostead.declaration.merge import BUILT_IN
from gostead.declaration.network import Network
from gostead.declaration.pins import DeclaredPin, MissingPin, Pin, pin_for, shipped_pins
from gostead.declaration.problems import DeclarationError, Problem
from gostead.declaration.schema import json_schema
from gostead.declaration.shells import Shells
from gostead.declaration.toolchains import DEFAULT_ARCHIVE_URL, Toolchains
from gostead.declaration.urls import redact_url
from gostead.declaration.versions import PLATFORMS, minimum_macos, version_key

__all__ = [
    "BUILT_IN",
    "DEFAULT_ARCHIVE_URL",
    "PLATFORMS",
    "DeclarationError",
    "Declared",
    "DeclaredPin",
    "GoSetup",
    "MissingPin",
    "Network",
    "Pin",
    "Problem",
    "Shells",
    "System",
    "Toolchains",
    "json_schema",
    "load",
    "minimum_macos",
    "pin_for",
    "redact_url",
    "shipped_pins",
    "version_key",
]
