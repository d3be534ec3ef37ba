"""A test that cannot run is skipped with the remedy; under CI it fails."""

from __future__ import annotations

import pytest

from tests.support import requirements


@pytest.mark.parametrize("ci", ["", "0", "false"])
def test_elsewhere_it_is_skipped(monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(
        pytest.skip.Exception, match="no-such-program not found; on Debian: apt-get"
    ):
        requirements.need_programs("sh", "no-such-program")
    requirements.need_programs("sh")


@pytest.mark.parametrize("ci", ["1", "true"])
def test_under_ci_it_fails(monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    monkeypatch.setenv("CI", ci)
    # Both are expected: a skip that got out of here would skip this test.
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception)) as raised:
        requirements.need_programs("no-such-program")
    assert raised.type is pytest.fail.Exception
    assert "CI is set: no-such-program not found" in str(raised.value)


def test_why_there_are_no_hosts_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == "ip" else name)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("sys.platform", "linux")
    requirements.why_no_hosts.cache_clear()
    assert requirements.why_no_hosts() == "ip not found; on Debian: apt-get install iproute2"
    requirements.why_no_hosts.cache_clear()
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "need root" in (requirements.why_no_hosts() or "")
    requirements.why_no_hosts.cache_clear()
