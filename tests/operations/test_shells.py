"""Users' shells, by running them: ten different homes, and what in them works against us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from tests.support.homes import make
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes

Run = Callable[..., subprocess.CompletedProcess[str]]


def audited(run: Run) -> dict[str, Any]:
    done = run("audit", "--json")
    host: dict[str, Any] = json.loads(done.stdout)["hosts"]["@local"]
    assert host["error"] is None, host["error"]
    return host


def bad(host: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong in the matrix."""
    return [(c["user"], c["shell"], c["mode"]) for c in host["matrix"] if c["verdict"] == "bad"]


def test_ten_homes_are_green_and_as_before_when_removed(
    run: Run, site: Site, ground: Sandbox
) -> None:
    names = make(ground)
    ground.run("mkdir -p /root/.cache")
    site.declare(users=names, shells={"cron": True, "goroot": "comment-out"})
    before = ground.digest()
    first = site.apply(ground)
    assert first["exit"] == 0, first["hosts"]["@local"]
    host = audited(run)
    unexplained = [
        cell for cell in bad(host)
        if not any(f["user"] == cell[0] and cell[2] in f["item"] for f in host["findings"])
    ]  # fmt: skip
    assert unexplained == []
    assert [c for c in host["matrix"] if c["verdict"] == "bad"] == []
    asked = [c for c in host["matrix"] if c["verdict"] != "not-applicable"]
    assert len({c["user"] for c in asked}) == 10
    assert len(asked) > 10 * 26
    assert [c["printed"] for c in asked if c["printed"]] == []
    assert [f for f in host["findings"] if f["severity"] != "note"] == []

    settled = ground.digest(times=True, exclude=["/tmp"])
    second = site.apply(ground)
    assert (second["exit"], changes(second)) == (0, {})
    assert settled.changes(ground.digest(times=True, exclude=["/tmp"])) == []

    assert run("remove", "-y").returncode == 0
    left = [x for x in before.changes(ground.digest()) if "spool/cron" not in x]
    assert left == []


def test_a_late_line_is_overruled_only_where_it_is(run: Run, site: Site, ground: Sandbox) -> None:
    ground.run(
        "mkdir -p /srv/other; printf '#!/bin/sh\\n' >/srv/other/go; chmod 755 /srv/other/go;"
        "for u in ann zed; do echo 'PATH=/srv/other:$PATH' >/home/$u/.more; done;"
        "echo '. ~/.more' >>/home/ann/.bashrc"
    )
    site.declare(users=["ann", "zed"])
    assert site.apply(ground)["exit"] == 0
    ann = ground.run("cat /home/ann/.bashrc").stdout
    assert ann.count(">>> gostead") == 2
    assert ann.rstrip().endswith("# <<< gostead (last) <<<")
    assert ground.run("cat /home/zed/.bashrc").stdout.count(">>> gostead") == 1
    assert bad(audited(run)) == []


def test_what_cannot_be_won_is_told_with_file_and_line(
    run: Run, site: Site, ground: Sandbox
) -> None:
    ground.run(
        "mkdir -p /srv/other; printf '#!/bin/sh\\n' >/srv/other/go; chmod 755 /srv/other/go;"
        "echo '. ~/.more; return' >>/home/ann/.bashrc;"
        "printf '# more\\nPATH=/srv/other:$PATH\\n' >/home/ann/.more"
    )
    site.declare(users=["ann"])
    report = site.apply(ground)
    told = [f for f in report["hosts"]["@local"]["findings"] if f["user"] == "ann"]
    assert [(f["where"], f["severity"]) for f in told] == [("/home/ann/.more:2", "warning")]
    assert "bash interactive" in told[0]["item"]
    host = audited(run)
    assert ("ann", "bash", "interactive") in bad(host)
    assert any(f["where"] == "/home/ann/.more:2" and f["user"] == "ann" for f in host["findings"])


def test_an_exported_goroot_is_reported_and_silenced_where_declared(
    run: Run, site: Site, ground: Sandbox
) -> None:
    ground.run("printf 'x=1\\n  export GOROOT=/usr/local/go # old\\n' >>/home/ann/.bashrc")
    before = ground.run("cat /home/ann/.bashrc").stdout
    line = next(n for n, x in enumerate(before.splitlines(), 1) if "GOROOT" in x)
    site.declare(users=["ann"])
    site.apply(ground)
    (told,) = [f for f in site.plan(ground)["hosts"]["@local"]["findings"] if f["item"] == "GOROOT"]
    # The block stands above it: three more lines.
    assert told["where"] == f"/home/ann/.bashrc:{line + 3}"
    ask = ["su", "-", "ann", "-c", "bash -ic 'echo =$GOROOT='"]
    assert ground.run(ask).stdout.strip() == "=/usr/local/go="
    site.declare(users=["ann"], shells={"goroot": "comment-out"})
    assert site.apply(ground)["exit"] == 0
    assert ground.run(ask).stdout.strip() == "=="
    assert run("remove", "-y").returncode == 0
    assert ground.run("cat /home/ann/.bashrc").stdout == before


def test_a_goroot_line_that_changed_since_is_left_alone(
    run: Run, site: Site, ground: Sandbox
) -> None:
    ground.run("echo 'export GOROOT=/usr/local/go' >>/home/ann/.bashrc")
    site.declare(users=["ann"])
    site.apply(ground)
    ground.run("sed -i 's|GOROOT=/usr/local/go|GOROOT=/opt/mine|' /home/ann/.bashrc")
    site.declare(users=["ann"], shells={"goroot": "comment-out"})
    report = site.plan(ground)
    assert changes(report) == {}
    notes = [f["what"] for f in report["hosts"]["@local"]["findings"] if f["severity"] == "note"]
    assert notes == ["start-up files changed since the shells were run"]
    assert site.apply(ground, "--deep")["exit"] == 0
    assert "true # gostead: export GOROOT=/opt/mine" in ground.run("cat /home/ann/.bashrc").stdout


def test_a_user_no_longer_declared_gets_everything_back(site: Site, ground: Sandbox) -> None:
    before = ground.digest(exclude=["/opt", "/etc", "/usr/local/bin", "/root"])
    site.declare(users=["ann", "zed"], shells={"cron": True})
    assert site.apply(ground)["exit"] == 0
    assert ground.run("crontab -u ann -l").stdout.count("PATH=/opt/gostead/current/bin:") == 1
    site.declare(users=["self"])
    assert site.apply(ground)["exit"] == 0
    after = ground.digest(exclude=["/opt", "/etc", "/usr/local/bin", "/root"])
    assert before.changes(after) == []
    assert "@" not in ground.run("grep -v @root /opt/gostead/state/registry").stdout


def test_a_user_who_cannot_log_in_is_not_asked_to(run: Run, site: Site, ground: Sandbox) -> None:
    ground.run("useradd -m -s /usr/sbin/nologin daemon-user", check=True)
    site.declare(users=["daemon-user"])
    assert site.apply(ground)["exit"] == 0
    host = audited(run)
    assert bad(host) == []
    modes = {c["mode"]: c["why"] for c in host["matrix"] if c["verdict"] == "not-applicable"}
    assert modes["su"] == modes["ssh-command"] == "nobody logs in with the shell /usr/sbin/nologin"


def test_cron_really_finds_it(site: Site, ground: Sandbox) -> None:
    ground.run("echo '* * * * * true' | crontab -u ann -", check=True)
    site.declare(users=["ann"], shells={"cron": True})
    assert site.apply(ground)["exit"] == 0
    table = ground.run("crontab -u ann -l").stdout
    assert table.splitlines()[1] == ("PATH=/opt/gostead/current/bin:/usr/local/bin:/usr/bin:/bin")
    assert table.endswith("* * * * * true\n")


def test_a_runner_gets_it_and_gets_its_own_back(run: Run, site: Site, ground: Sandbox) -> None:
    place = "/home/ann/actions runner"
    ground.run(
        f"mkdir '{place}'; echo /usr/bin:/bin >'{place}/.path';"
        f"printf 'LANG=C\\nPATH=/bin\\n' >'{place}/.env'; chown -R ann: /home/ann",
        check=True,
    )
    site.declare(users=["ann"], shells={"runners": [place]})
    report = site.apply(ground)
    assert report["exit"] == 0
    made = {c["item"]: c for c in report["hosts"]["@local"]["changes"]}
    assert "when it is started again" in made[f"{place}/.path"]["detail"]
    files = ground.run(f"cat '{place}/.path' '{place}/.env'").stdout
    assert files == (
        "/opt/gostead/current/bin:/usr/bin:/bin\nLANG=C\nPATH=/opt/gostead/current/bin:/bin\n"
    )
    run("remove", "-y")
    files = ground.run(f"cat '{place}/.path' '{place}/.env'").stdout
    assert files == "/usr/bin:/bin\nLANG=C\nPATH=/bin\n"


def test_explain_names_the_lines(run: Run, site: Site, ground: Sandbox) -> None:
    ground.run(
        "mkdir -p /usr/local/go/bin; echo go1.21.0 >/usr/local/go/VERSION;"
        "printf '#!/bin/sh\\n' >/usr/local/go/bin/go; chmod 755 /usr/local/go/bin/go"
    )
    site.declare(users=["self"])
    site.apply(ground)
    ground.run("echo 'export PATH=/usr/local/go/bin:$PATH' >>/home/ann/.profile")
    done = run("explain", "--user", "ann")
    assert done.returncode == 2
    assert "/home/ann/.profile:" in done.stdout
    assert "export PATH=/usr/local/go/bin:$PATH" in done.stdout
    assert "ann, bash login, both, " in done.stdout  # the same lines once
    assert "GOPATH" not in done.stdout
    other = next(x for x in done.stdout.splitlines() if x.startswith("other Go: /usr/local/go"))
    assert "go1.21.0; it answers in" in other
    assert run("explain", "--user", "nobody-of-that-name").returncode == 1


def test_directories_made_in_a_home_go_again(run: Run, site: Site, ground: Sandbox) -> None:
    ground.run("rm -rf /etc/fish /home/ann/.config; mkdir -p /root/.cache")
    site.declare(users=["ann"], shells={"kinds": ["fish"]})
    before = ground.digest()
    assert site.apply(ground)["exit"] == 0
    assert ground.run("su ann -s /usr/bin/fish -c 'command -s go'").stdout == (
        "/opt/gostead/current/bin/go\n"
    )
    ground.run("rm -rf /home/ann/.local; cd /home/ann/.config/fish; rm -f fish_variables*;"
               "rmdir completions functions; true")  # fmt: skip
    assert run("remove", "-y").returncode == 0
    assert before.changes(ground.digest()) == []


def test_a_line_that_does_more_than_export_goroot_is_only_told(site: Site, ground: Sandbox) -> None:
    line = "export GOROOT=/usr/local/go; export PATH=$PATH:/more"
    ground.run(f"echo '{line}' >>/home/ann/.bashrc")
    site.declare(users=["ann"], shells={"goroot": "comment-out"})
    report = site.apply(ground)
    told = [f for f in report["hosts"]["@local"]["findings"] if f["item"] == "GOROOT"]
    assert "more than one simple statement" in told[0]["mend"]
    assert ground.run("tail -n 1 /home/ann/.bashrc").stdout == f"{line}\n"


def test_names_as_other_user_databases_have_them(run: Run, site: Site, ground: Sandbox) -> None:
    ground.run(
        "printf '%s\\n' 'CORP\\kim:x:1500:1500::/home/kim:/bin/bash' >>/etc/passwd;"
        "printf '%s\\n' 'CORP\\kim:*:19000::::::' >>/etc/shadow;"
        "cp -r /etc/skel /home/kim; chown -R 1500:1500 /home/kim",
        check=True,
    )
    site.declare(users=["humans"])
    assert site.apply(ground)["exit"] == 0
    host = audited(run)
    kim = [c for c in host["matrix"] if c["user"] == "CORP\\kim"]
    assert [c for c in kim if c["verdict"] == "bad"] == []
    assert bad(host) == []
    assert run("remove", "-y").returncode == 0
    assert ">>>" not in ground.run("cat /home/kim/.bashrc /home/kim/.profile").stdout
