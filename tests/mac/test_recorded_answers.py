"""What the stand-ins of Macs answer is of the form in which this Mac answers."""

from __future__ import annotations

import re
import subprocess

import pytest

from gostead.facts.xcode import offers_of, receipt_of, version_of

#: A question, and the form of the first line of its answer.
FORMS = {
    "uname -s": r"Darwin",
    "sw_vers -productVersion": r"\d+\.\d+(\.\d+)?",
    "sysctl -n kern.bootsessionuuid": r"[0-9A-F-]{36}",
    "csrutil status": r"System Integrity Protection status: \w.*\.",
    "DevToolsSecurity -status": r"Developer mode is currently (enabled|disabled)\.",
    "spctl --status": r"assessments (enabled|disabled)",
    "dscl . -read /Users/$(id -un) NFSHomeDirectory": r"NFSHomeDirectory: /.*",
    "dscl . -read /Users/$(id -un) UserShell": r"UserShell: /.*",
    "stat -f '%u %g %Lp' /etc/hosts": r"0 0 644",
    "shasum -a 256 /dev/null": r"e3b0c442\w{56}  /dev/null",
    "/usr/libexec/path_helper -s": r'PATH=".*"; export PATH;.*',
    "ps -o lstart= -p $$": r"\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}\s*",
}


def say(command: str) -> subprocess.CompletedProcess[str]:
    """What sh of macOS says, with the PATH that gostead's scripts have."""
    return subprocess.run(
        ["/bin/sh", "-c", command], text=True, capture_output=True, check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )  # fmt: skip


@pytest.mark.parametrize("question", FORMS)
def test_the_answer_has_the_recorded_form(question: str) -> None:
    done = say(question)
    lines = (done.stdout or done.stderr).splitlines()
    assert lines, done
    assert re.fullmatch(FORMS[question], lines[0])


def test_receipts_and_offers_are_read() -> None:
    told = say("pkgutil --pkg-info=com.apple.pkg.CLTools_Executables")
    if told.returncode == 0:
        assert len(receipt_of(told.stdout)) == 3
    else:
        assert "No receipt for 'com.apple.pkg.CLTools_Executables' found at '/'." in told.stderr
    listed = say("softwareupdate -l --no-scan")
    assert listed.returncode == 0, listed
    assert all(offer.version for offer in offers_of(listed.stdout))


@pytest.mark.parametrize(
    "refused",
    ["stat -c %a /etc/hosts", "date -d now", "find / -maxdepth 0 -printf x", "sed -i s/a/b/",
     "mv -T /nowhere /nowhere2", "grep -P x /etc/hosts", "xargs -d x </dev/null"],
)  # fmt: skip
def test_what_the_stand_ins_refuse_is_refused(refused: str) -> None:
    assert say(refused).returncode != 0


def test_versions_compare_as_numbers() -> None:
    """The one thing that is known of every Mac: its own version is one."""
    assert version_of(say("sw_vers -productVersion").stdout) >= (10, 15)
