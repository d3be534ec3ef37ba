"""The declared Go setup, as a list."""

from pyinfra.api import deploy

from gostead.operations.removal import removal
from gostead.operations.shells import shells
from gostead.operations.toolchains import toolchains


@deploy("gostead")
def go_setup(directory: str | None = None) -> None:
    """Brings the host to its declaration in `directory` (default: group_data)."""
    toolchains(directory, name="Go toolchains")
    shells(directory, name="Login shells")
    removal(directory, name="Removal")
