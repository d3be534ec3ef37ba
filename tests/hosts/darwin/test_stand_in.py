"""The stand-in of a Mac is what the recorded facts say, and refuses what BSD's tools refuse."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.root import PROGRAMS
from tests.hosts.darwin.scenarios import CLT_26, RECEIPT, SCENARIOS
from tests.support.ssh_host import Fleet

#: What a script written for GNU's tools says, and what BSD's say to it.
REFUSED = {
    "stat -c %u /": ("stat: illegal option -- c", 1),
    "stat --format=%u /": ("stat: illegal option -- -", 1),
    "sed -i s/a/b/ file": ("", 1),  # the expression is the suffix, and the file the script
    "sed --in-place s/a/b/ file": ("sed: illegal option -- -", 1),
    "date -d now": ("date: illegal option -- d", 1),
    "date --date=now": ("date: illegal option -- -", 1),
    "find . -printf x": ("find: -printf: unknown primary or operator", 1),
    "find . -executable": ("find: -executable: unknown primary or operator", 1),
    "find . -perm /111": ("illegal mode string", 1),
    "find -name x": ("find: illegal option -- n", 1),
    "find ./file -maxdepth 0 -type f -delete": ("relative path potentially not safe", 1),
    "find /tmp/file -delete": ("find: -delete: /tmp/file: relative path potentially not safe", 1),
    "mv -T file other": ("mv: illegal option -- T", 64),
    "mv file other -f": ("an option behind an operand", 1),
    "ln -sT file other": ("ln: illegal option -- T", 1),
    "cp --preserve=all file other": ("cp: illegal option -- -", 64),
    "cp file other -p": ("an option behind an operand", 1),
    "cp --reflink file other": ("cp: illegal option -- -", 64),
    "ls --color": ("ls: illegal option -- -", 1),
    "ps --no-headers": ("ps: illegal option -- -", 255),
    "grep -P x file": ("grep: illegal option -- P", 2),
    "xargs -r true": ("xargs: illegal option -- r", 1),
    "xargs -d , true": ("xargs: illegal option -- d", 1),
    "head --bytes=1 file": ("head: illegal option -- -", 1),
    "sort --version-sort file": ("sort: illegal option -- -", 2),
    "mktemp --directory": ("mktemp: illegal option -- -", 1),
    "touch -d now file": ("touch: illegal option -- d", 1),
    "rm --force file": ("rm: illegal option -- -", 64),
    "du --bytes file": ("du: illegal option -- -", 64),
    "df -T /": ("df: illegal option -- T", 64),
    "od --format=x1 file": ("od: illegal option -- -", 1),
    "wc --lines file": ("wc: illegal option -- -", 1),
    "su -s /bin/sh kim -c true": ("su: illegal option -- s", 1),
    "script -c true file": ("script: illegal option -- c", 1),
    "id --user": ("id: illegal option -- -", 1),
    "uname --kernel-name": ("uname: illegal option -- -", 1),
    "env --chdir=/ true": ("env: illegal option -- -", 1),
    "chmod --reference=file other": ("chmod: illegal option -- -", 1),
}
ABSENT = """
sha256sum md5sum flock timeout getent setpriv runuser setsid nproc tac systemctl loginctl
apt-get dpkg useradd usermod realpath numfmt shuf truncate stdbuf free ionice chrt busybox gsed
"""


def test_every_refusal_of_gnu_options(mac: Mac) -> None:
    mac.shell("cd /tmp; echo a >file; echo b >other")
    for command, (said, code) in REFUSED.items():
        done = mac.shell(f"cd /tmp; {command} </dev/null")
        assert (said in done.stderr, done.returncode) == (True, code), (command, done)
    assert mac.shell("cat /tmp/file /tmp/other").stdout == "a\nb\n"
    assert mac.unknown == []


def test_what_a_mac_does_not_have(mac: Mac) -> None:
    for name in ABSENT.split():
        assert mac.shell(f"command -v {name}").returncode != 0, name
    assert mac.shell("ls /proc /home /root /etc/debian_version /etc/os-release").stdout == ""
    assert mac.shell("grep -c kim /etc/passwd").stdout == "0\n"


def test_the_places_of_a_mac(mac: Mac) -> None:
    links = mac.shell("readlink /etc; readlink /tmp; readlink /var; cd /etc && pwd -P").stdout
    assert links == "private/etc\nprivate/tmp\nprivate/var\n/private/etc\n"
    assert mac.shell("cd ~ && pwd", user="lee").stdout == "/Users/lee of it\n"


def test_what_bsd_tools_answer(mac: Mac) -> None:
    script = (
        "cd /tmp; printf 'ab\\n' >f; chmod 640 f; stat -f '%u %g %Mp%Lp %z %N' f;"
        "wc -c f; wc -l <f; printf ab | od -An -v -tx1; date -r 0 +%Y; date +%N;"
        "sed -i '' s/a/c/ f; cat f;"
        "printf '' | xargs echo never; printf x | shasum -a 256 | cut -c 1-8;"
        "mktemp -d -t pre"
    )
    lines = mac.shell(script).stdout.splitlines()
    assert lines[:-1] == [
        "0 0 0640 3 f", "       3 f", "       1", "  61  62", "1970", "N", "cb", "2d711642",
    ]  # fmt: skip
    assert lines[-1].startswith("/tmp/pre.")
    dated = "cd /tmp; touch -t 200001010000 f; stat -f '%m %l %Lp %Su %Sg' f; stat -f '%c' f"
    entry, changed = mac.shell(dated).stdout.splitlines()
    assert entry == "946684800 1 640 root wheel"
    gone = "cd /tmp; mkdir -p d/e; touch g d/e/f; find g -maxdepth 0 -type f -delete"
    assert mac.shell(f"{gone}; find /tmp/d -mindepth 1 -delete; ls d g").stdout == "d:\n"
    assert int(changed) > 1_700_000_000
    said = mac.shell("find /tmp/f -exec stat -f '%c %Fc' {} +").stdout.split()
    assert said[1].split(".")[0] == said[0]
    assert len(said[1].split(".")[1]) == 9


def test_ps_tells_as_bsd_does_without_proc(mac: Mac) -> None:
    row = mac.shell("ps -o state=,ppid=,lstart= -p $$").stdout.split()
    assert len(row) == 7
    # By ssh: each connection is a session of its own, which Linux numbers.
    sessions = mac.ssh(
        "sleep 1 & ps -A -o pid= -o sess= | awk '{ print $2 }' | sort -u", user="kim"
    )
    assert sessions.stdout == "0\n"
    listed = mac.shell("ps -axo pid=,ppid=,uid=,etime=,rss=,lstart=,command=").stdout
    assert any(line.split()[:3] == ["1", "0", "0"] for line in listed.splitlines())
    assert mac.shell("ps -o pid= -p 99999").returncode == 1


def test_older_macs_lack_more(macs: Callable[..., Fleet]) -> None:
    old, new = macs("monterey 12.2", "sequoia")
    for host, code in ((old, 1), (new, 0)):
        assert isinstance(host, Mac)
        assert host.shell("readlink -f /etc").returncode == code
    assert isinstance(old, Mac)
    assert old.shell("cd /tmp; ln -s /opt a; ln -s /etc b; mv -h b a").returncode == 64
    assert isinstance(new, Mac)
    assert (
        new.shell("cd /tmp; ln -s /opt a; ln -s /etc b; mv -h b a; readlink a").stdout == "/etc\n"
    )


def test_which_system_it_is(macs: Callable[..., Fleet]) -> None:
    said = "uname -s; uname -m; sw_vers -productVersion; sysctl -n hw.optional.arm64"
    said += "; sysctl -n sysctl.proc_translated; sw_vers -productName"
    names = ("tahoe", "ventura intel", "under rosetta", "catalina intel")
    answers = [h.shell(said) for h in macs(*names) if isinstance(h, Mac)]
    assert [done.stdout.split("\n")[:-1] for done in answers] == [
        ["Darwin", "arm64", "26.1", "1", "0", "macOS"],
        ["Darwin", "x86_64", "13.7", "macOS"],
        ["Darwin", "x86_64", "26.1", "1", "1", "macOS"],
        ["Darwin", "x86_64", "10.15.7", "Mac OS X"],
    ]
    assert "sysctl: unknown oid 'sysctl.proc_translated'" in answers[1].stderr
    intel = macs("ventura intel")[0]
    assert isinstance(intel, Mac)
    assert intel.shell("sysctl -n sysctl.proc_translated").returncode == 1


def test_the_directory_service(mac: Mac) -> None:
    read = "dscl . -read /Users/{} NFSHomeDirectory UniqueID"
    assert mac.shell(read.format("kim")).stdout == "NFSHomeDirectory: /Users/kim\nUniqueID: 501\n"
    lee = "NFSHomeDirectory:\n /Users/lee of it\nUniqueID: 502\n"
    assert mac.shell(read.format("lee")).stdout == lee
    root = "NFSHomeDirectory: /var/root /private/var/root\nUniqueID: 0\n"
    assert mac.shell(read.format("root")).stdout == root
    nobody = mac.shell(read.format("ghost"))
    assert (nobody.returncode, "eDSRecordNotFound" in nobody.stderr) == (56, True)
    hidden = mac.shell("dscl . -read /Users/support IsHidden; dscl . -read /Users/kim IsHidden")
    assert hidden.stdout == "dsAttrTypeNative:IsHidden: 1\nNo such key: IsHidden\n"
    missing = mac.shell("dscl . -read /Users/root NFSHomeDirectory OriginalNodeName").stdout
    assert (
        missing == "No such key: OriginalNodeName\nNFSHomeDirectory: /var/root /private/var/root\n"
    )
    assert "kim                      501\n" in mac.shell("dscl . -list /Users UniqueID").stdout
    assert mac.ssh("id -un; id -gn; sudo -n id -u", user="kim").stdout == "kim\nstaff\n0\n"
    assert mac.ssh("sudo -n id -u", user="lee").returncode == 1


@pytest.mark.parametrize("way", ["zsh -l -c", "bash -l -c", "sh -l -c"])
def test_path_helper_orders_what_login_shells_see(mac: Mac, way: str) -> None:
    mac.shell("echo /opt/b >/etc/paths.d/20-b; echo /opt/a >/etc/paths.d/100-a")
    path = mac.ssh(f"PATH=/own:/usr/bin:/bin {way} 'echo $PATH'", user="kim").stdout.strip()
    system = "/usr/local/bin:/System/Cryptexes/App/usr/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    assert path == f"{system}:/opt/b:/opt/a:/own"


def test_ssh_gives_the_first_path_of_apples_sshd(mac: Mac) -> None:
    assert mac.ssh("echo $PATH", user="kim").stdout == "/usr/bin:/bin:/usr/sbin:/sbin\n"


@pytest.mark.parametrize("shim", ["git", "clang", "python3", "make", "cc", "xcrun"])
def test_a_shim_without_the_tools_is_recorded(mac: Mac, shim: str) -> None:
    done = mac.shell(f"{shim} --version", user="kim")
    assert "requesting install" in done.stderr
    assert mac.touched == [f"{shim} --version"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_starts_and_selects(macs: Callable[..., Fleet], scenario: str) -> None:
    known = SCENARIOS[scenario]
    host = macs(scenario)[0]
    assert isinstance(host, Mac)
    said = host.shell("xcode-select -p; clang --version")
    tree = known.command_line_tools or known.xcode
    path = known.selected or (
        "/Applications/Xcode.app/Contents/Developer" if known.xcode
        else "/Library/Developer/CommandLineTools" if tree else ""
    )  # fmt: skip
    assert said.stdout.startswith(f"{path}\n" if path else "")
    if tree and known.licence_accepted:
        assert "Apple clang" in said.stdout
        assert host.touched == []
    elif not known.licence_accepted:
        assert "license" in said.stderr
        assert said.returncode == 69
    elif known.selected:
        assert f"invalid active developer path ({path})" in said.stderr
        assert host.touched == ["clang --version"]
    else:
        assert "unable to get active developer directory" in said.stderr
        assert host.touched == ["clang --version"]


def test_the_tools_are_offered_while_the_marker_stands(macs: Callable[..., Fleet]) -> None:
    host = macs("both on offer")[0]
    assert isinstance(host, Mac)
    marker = "/tmp/.com.apple.dt.CommandLineTools.installondemand.in-progress"
    labels = "softwareupdate -l 2>/dev/null | sed -n 's/^[* ]*Label: //p'"
    assert host.shell(labels).stdout == "macOS Tahoe 26.7-25H1\n"
    said = host.shell(f"touch {marker}; softwareupdate -l").stdout
    assert (
        "* Label: Command Line Tools for Xcode-16.4\n"
        "\tTitle: Command Line Tools for Xcode, Version: 16.4, Size: 751786KiB, "
        "Recommended: YES, \n"
        "* Label: Command Line Tools for Xcode 26.6-26.6\n"
    ) in said
    wrong = host.shell("softwareupdate -i 'Command Line Tools for Xcode-1.0'")
    assert "Command Line Tools for Xcode-1.0: No such update" in wrong.stdout
    assert wrong.returncode == 0
    assert host.shell("softwareupdate -i x", user="kim").returncode == 1
    assert host.shell("softwareupdate -i 'Command Line Tools for Xcode 26.6-26.6'").returncode == 0
    told = host.shell(
        f"pkgutil --pkg-info={RECEIPT}; clang --version; xcrun --show-sdk-path"
    ).stdout
    assert f"version: {CLT_26.version}\nvolume: /\nlocation: /\ninstall-time: " in told
    assert told.endswith("/Library/Developer/CommandLineTools/SDKs/MacOSX.sdk\n")
    assert host.touched == []
    assert host.history == ["softwareupdate -i Command Line Tools for Xcode 26.6-26.6"]
    host.shell("softwareupdate -i -a; softwareupdate -i 'macOS Tahoe 26.7-25H1'; git status")
    assert len(host.touched) == 2


def test_the_label_appears_with_the_third_look(macs: Callable[..., Fleet]) -> None:
    host = macs("third look")[0]
    assert isinstance(host, Mac)
    host.shell("touch /tmp/.com.apple.dt.CommandLineTools.installondemand.in-progress")
    looks = [host.shell("softwareupdate -l").stdout.count("Command Line") > 0 for _ in range(4)]
    assert looks == [False, False, True, True]


def test_receipts_and_selection(macs: Callable[..., Fleet]) -> None:
    host = macs("receipt without tools")[0]
    assert isinstance(host, Mac)
    assert CLT_26.version in host.shell(f"pkgutil --pkg-info {RECEIPT}").stdout
    none = host.shell("pkgutil --pkg-info=org.golang.go")
    assert (none.stderr, none.returncode) == (
        "No receipt for 'org.golang.go' found at '/'.\n", 1,
    )  # fmt: skip
    refused = host.shell("xcode-select -s /Library/Developer/CommandLineTools")
    assert (refused.returncode, "invalid developer directory" in refused.stderr) == (1, True)
    assert host.shell("xcode-select -s /tmp", user="kim").returncode == 1
    assert host.shell("xcode-select -s /tmp; xcode-select -p; xcode-select -r").stdout == "/tmp\n"
    assert host.shell("xcode-select -p").returncode == 2
    assert host.shell("DEVELOPER_DIR=/x xcode-select -p").stdout == "/x\n"


def test_security_is_told_on_line_one(macs: Callable[..., Fleet]) -> None:
    for scenario, word in (("tahoe", "enabled."), ("sip off", "disabled."),
                           ("sip partly", "unknown (Custom Configuration).")):  # fmt: skip
        host = macs(scenario)[0]
        assert isinstance(host, Mac)
        line = host.shell("csrutil status").stdout.splitlines()[0]
        assert line == f"System Integrity Protection status: {word}"
        host.shell("csrutil disable; spctl --master-disable")
        assert len(host.touched) == 2


def test_jobs_of_launchd(mac: Mac) -> None:
    plist = "/Users/kim/Library/LaunchAgents/x.plist"
    text = "<plist><dict><key>Label</key><string>x.y</string></dict></plist>"
    mac.shell(f"mkdir -p {plist.rpartition('/')[0]}; echo '{text}' >{plist}", user="kim")
    load = f"launchctl bootstrap gui/$(id -u) {plist}"
    assert mac.shell(load, user="kim").returncode == 0
    assert "Bootstrap failed: 5" in mac.shell(load, user="kim").stderr
    assert mac.shell("launchctl print gui/501/x.y").returncode == 0
    assert mac.shell("launchctl bootout gui/501/x.y", user="kim").returncode == 0
    assert mac.shell("launchctl bootout gui/501/x.y", user="kim").returncode == 3
    assert mac.shell("launchctl print gui/501/x.y").returncode == 113
    nobody_there = mac.shell(load, user="lee")
    assert (nobody_there.returncode, mac.history) == (
        125, [f"launchctl bootstrap gui/501 {plist}", "launchctl bootout gui/501/x.y"],
    )  # fmt: skip


def test_jobs_of_the_whole_machine(mac: Mac) -> None:
    plist = "/Library/LaunchDaemons/x.plist"
    job = {"Label": "x.y", "UserName": "kim", "ProgramArguments": ["/usr/bin/touch", "/tmp/ran"]}
    load = f"launchctl bootstrap system {plist}"
    (mac.path / plist.lstrip("/")).write_bytes(plistlib.dumps(job))
    assert mac.shell(load, user="kim").returncode == 5
    mac.shell(f"chown kim {plist}")
    assert mac.shell(load).returncode == 5
    mac.shell(f"chown root {plist}; launchctl disable system/x.y")
    assert mac.shell(load).returncode == 5
    assert mac.shell(f"launchctl enable system/x.y; {load}").returncode == 0
    mac.shell("launchctl kickstart system/x.y")
    assert mac.shell("stat -f %u /tmp/ran").stdout == "501\n"


def test_what_is_not_played_is_no_answer(mac: Mac) -> None:
    assert mac.shell("dscl . -create /Users/x").returncode == 99
    assert mac.unknown == ["dscl -create"]


def test_shellcheck_finds_nothing_in_the_programs() -> None:
    tool = shutil.which("shellcheck")
    assert tool
    for path in sorted(PROGRAMS.rglob("*")):
        if path.is_file() and path.read_text().startswith("#!/.stand-in/bin/dash"):
            options = ["--shell=dash", "--exclude=SC1091,SC2016,SC2154,SC2015", "--format=gcc"]
            done = subprocess.run(
                [tool, *options, str(path)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.stdout == "", path
