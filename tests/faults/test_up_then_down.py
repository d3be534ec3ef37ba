"""Scorecard: X, then Y, then X: no mixed tree, and no trace of Y but what `keep` keeps."""

from __future__ import annotations

from tests.support.faults import NEW, OLD, Ground


def test_the_tree_is_the_one_that_a_first_install_makes(any_ground: Ground) -> None:
    state = f"{any_ground.root}/state"
    any_ground.site.declare({"default": OLD, "keep": 0})
    any_ground.converge()
    first = any_ground.sandbox.digest(exclude=[state])
    for version in (NEW, OLD):
        any_ground.site.declare({"default": version, "keep": 0})
        any_ground.converge()
        any_ground.assert_converged(version)
    assert first.changes(any_ground.sandbox.digest(exclude=[state])) == []


def test_going_back_to_a_kept_version_fetches_nothing(ground: Ground) -> None:
    for version in (OLD, NEW):
        ground.site.declare({"default": version})
        ground.converge()
    for archive in ground.site.mirror.iterdir():
        archive.unlink()
    ground.sandbox.run("rm -rf /root/.cache/gostead/*", check=True)
    ground.site.declare({"default": OLD})
    ground.converge()
    ground.assert_converged(OLD)
