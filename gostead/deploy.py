"""The declared Go setup, as a list."""

from pyinfra.api.deploy import deploy

from gostead.operations.caches import caches
from gostead.operations.cgo import cgo
from gostead.operations.go_env import go_env
from gostead.operations.orphans import orphans
from gostead.operations.removal import removal
from gostead.operations.schedule import schedule
from gostead.operations.shells import shells
from gostead.operations.slices import slices
from gostead.operations.toolchains import toolchains
from gostead.operations.tools import tools
from gostead.operations.xcode import xcode


@deploy("gostead")
def go_setup(directory: str | None = None) -> None:
    """Brings the host to its declaration in `directory` (default: group_data)."""
    toolchains(directory=directory, name="Go toolchains")
    shells(directory=directory, name="Shells")
    caches(directory=directory, name="Go caches")
    go_env(directory=directory, name="Go settings")
    xcode(directory=directory, name="Apple's developer tools")
    cgo(directory=directory, name="C compiler")
    tools(directory=directory, name="Go tools")
    slices(directory=directory, name="Budgets for builds")
    orphans(directory=directory, name="Orphans")
    schedule(directory=directory, name="Schedule")
    removal(directory=directory, name="Removal")
