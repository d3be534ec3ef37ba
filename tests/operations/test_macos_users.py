"""Users as macOS's directory service tells them: a stand-in dscl answers in its formats."""

from __future__ import annotations

import pytest

from gostead.trace import Person, TraceError, people
from tests.support.sandbox import Sandbox

#: dscl(1): a value with a space in it stands on a line of its own, behind one space.
DSCL = r"""#!/bin/sh
case "$*" in
  '. -list /Users') printf '_www\ndaemon\nkim\nlee\nnobody\nroot\n' ;;
  '. -read /Users/kim '*) printf 'NFSHomeDirectory: /Users/kim\nPrimaryGroupID: 20\nUniqueID: 501\nUserShell: /bin/zsh\n' ;;
  '. -read /Users/lee '*) printf 'NFSHomeDirectory:\n /Users/lee of it\nPrimaryGroupID: 20\nUniqueID: 502\nUserShell: /opt/homebrew/bin/fish\n' ;;
  '. -read /Users/root '*) printf 'NFSHomeDirectory: /var/root /private/var/root\nPrimaryGroupID: 0\nUniqueID: 0\nUserShell: /bin/sh\n' ;;
  '. -read /Users/daemon '*) printf 'NFSHomeDirectory: /var/root\nPrimaryGroupID: 1\nUniqueID: 1\nUserShell: /usr/bin/false\n' ;;
  '. -read /Users/_www '*) printf 'NFSHomeDirectory: /Library/WebServer\nPrimaryGroupID: 70\nUniqueID: 70\nUserShell: /usr/bin/false\n' ;;
  '. -read /Users/nobody '*) printf 'NFSHomeDirectory: /var/empty\nPrimaryGroupID: -2\nUniqueID: -2\nUserShell: /usr/bin/false\n' ;;
  *) echo '<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)' >&2; exit 56 ;;
esac
"""  # noqa: E501


@pytest.fixture
def mac(ground: Sandbox) -> Sandbox:
    """A root whose uname says Darwin, with the stand-in, and without getent."""
    for name, text in {"dscl": DSCL, "uname": "#!/bin/sh\necho Darwin\n"}.items():
        path = ground.path / "usr/bin" / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    ground.run("rm /usr/bin/getent", check=True)
    return ground


def test_humans_and_names(mac: Sandbox) -> None:
    def run(script: str) -> bytes:
        return mac.run(["sh", "-s"], input=script).stdout.encode()

    found, _ = people(run, ["humans"])
    assert found == (
        Person("kim", 501, 20, "/Users/kim", "/bin/zsh"),
        Person("lee", 502, 20, "/Users/lee of it", "/opt/homebrew/bin/fish"),
    )
    assert people(run, ["lee", "lee"])[0] == found[1:]
    assert people(run, ["root"])[0] == (Person("root", 0, 0, "/var/root", "/bin/sh"),)
    with pytest.raises(TraceError, match="ghost"):
        people(run, ["kim", "ghost"])
