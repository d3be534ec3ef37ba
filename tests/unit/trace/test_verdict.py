"""Which line is to blame, and what is said of each way of starting a shell."""

from __future__ import annotations

import pytest

from gostead.trace import Cause, Cell, culprit, goroot_line, grouped, verdicts, ways

BIN = "/opt/gostead/current/bin"
OURS = {"go": f"{BIN}/go", "resolved": "/opt/gostead/toolchains/go1.27.3/bin/go"}


def cell(shell: str = "bash", mode: str = "login", **values: object) -> Cell:
    return Cell("ann", shell, mode, **{"count": 1, "position": 1, **values})  # type: ignore[arg-type]


def line(file: str, number: int, value: str, what: str = "path") -> Cause:
    return Cause("ann", "bash", "login", what, file, number, "text", value)


CHAIN = (
    line("/etc/profile", 4, "/usr/bin:/bin"),
    line("/opt/gostead/env.sh", 30, f"{BIN}:/usr/bin:/bin"),
    line("/home/ann/.more", 2, f"/other:{BIN}:/usr/bin:/bin"),
    line("/home/ann/.bashrc", 9, f"/third:/other:{BIN}:/usr/bin:/bin"),
)


def test_the_culprit_is_who_took_the_front_away() -> None:
    found = culprit(CHAIN, BIN)
    assert found
    assert (found.file, found.line) == ("/home/ann/.more", 2)


def test_there_is_none_where_we_are_in_front_at_the_end() -> None:
    assert culprit((*CHAIN, line("/home/ann/.zlogin", 1, f"{BIN}:/bin")), BIN) is None
    assert culprit((), BIN) is None


def test_where_we_never_were_in_front_it_is_the_last_line() -> None:
    found = culprit(CHAIN[:1], BIN)
    assert found
    assert found.file == "/etc/profile"


def test_a_goroot_that_is_unset_again_is_none() -> None:
    chain = (line("/a", 1, "/go", "goroot"), line("/b", 2, "", "goroot"))
    assert goroot_line(chain) is None
    found = goroot_line(chain[:1])
    assert found
    assert found.file == "/a"


@pytest.mark.parametrize(
    ("asked", "colour", "severity", "said"),
    [
        (cell(**OURS), "good", "error", ""),
        (cell(**OURS, count=2), "bad", "warning", "2 times on PATH"),
        (cell(**OURS, goroot="/usr/local/go"), "bad", "warning", "GOROOT=/usr/local/go"),
        (cell(go="/usr/bin/go"), "bad", "error", "/usr/bin/go runs"),
        (cell(status="timeout", why="it hangs"), "bad", "error", "it hangs"),
        (cell(status="not-applicable", why="no tmux"), "not-applicable", "error", ""),
        (cell("sh", "bare", go="/usr/local/bin/go", resolved=OURS["resolved"], count=0),
         "good", "error", ""),
        (cell("sh", "bare", count=0), "not-applicable", "note", "no link is on PATH"),
        (cell("sh", "plain", count=0, path="/usr/local/bin:/bin"), "bad", "error",
         "no start-up file is read there"),
        (cell("sh", "plain", go="/bin/go", path="/bin"), "bad", "note", "/bin/go runs"),
        (cell("sh", "cron", count=0), "not-applicable", "note", "cron reads no start-up file"),
    ],
)  # fmt: skip
def test_verdicts(asked: Cell, colour: str, severity: str, said: str) -> None:
    (found,) = verdicts([asked], {}, BIN)
    assert (found.colour, found.severity) == (colour, severity)
    assert said in found.what


def test_cron_counts_where_it_is_declared() -> None:
    (found,) = verdicts([cell("sh", "cron", count=0)], {}, BIN, cron=True)
    assert (found.colour, found.severity) == ("bad", "error")


def test_without_declared_links_nothing_is_expected_of_them() -> None:
    asked = cell("sh", "plain", count=0, path="/usr/local/bin:/bin")
    (found,) = verdicts([asked], {}, BIN, links=False)
    assert (found.colour, found.severity) == ("not-applicable", "note")


def test_one_cause_is_one_finding_for_all_that_it_spoils() -> None:
    spoilt = [cell(go="/other/go"), cell(mode="both", go="/other/go")]
    chains = {("ann", "bash", c.mode): CHAIN for c in spoilt}
    ((found, cells),) = grouped(verdicts(spoilt, chains, BIN))
    assert found.where == "/home/ann/.more:2"
    assert ways(cells) == "bash: login, both"
