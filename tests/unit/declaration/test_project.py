"""go.mod and go.work, read and judged as the go command does."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gostead.declaration.project import GoFile, ProjectError, find, order, outcome, parse
from tests.support.requirements import cannot_run

WORK, MOD = Path("/p/go.work"), Path("/p/go.mod")
HEAD = "module example.com/m\n"


def go(
    *words: str, cwd: Path, toolchain: str = "local", flags: str = ""
) -> subprocess.CompletedProcess[str]:
    """The real go command, which may neither download nor read this machine's settings."""
    found = shutil.which("go") or cannot_run("no go on PATH: install a Go release")
    env = {**os.environ, "GOTOOLCHAIN": toolchain, "GOFLAGS": flags, "GOPROXY": "off",
           "GOENV": "off", "GOWORK": "", "PATH": f"{Path(found).parent}:/usr/bin:/bin"}  # fmt: skip
    return subprocess.run([found, *words], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The version of the go on this machine's PATH."""
    said = go("env", "GOVERSION", cwd=tmp_path_factory.mktemp("go")).stdout
    version = said.strip().removeprefix("go")
    if order(version) < order("1.24"):
        cannot_run(f"the go on PATH is {version!r}; the rules here are those of 1.24 and later")
    return version


def files(root: Path, **content: str | bytes) -> Path:
    """Writes files below `root`; "__" in a name is "/", "_" is ".": a__go_mod is a/go.mod."""
    for name, text in content.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def test_versions_sort_as_go_version_sorts_them(running: str, tmp_path: Path) -> None:
    versions = [
        "", "1", "1.0", "1.2", "1.9.2", "1.9.2rc2", "1.18beta2", "1.18rc1", "1.18", "1.20",
        "1.20.0", "1.20.14", "1.21", "1.21alpha1", "1.21rc", "1.21rc1", "1.21rc2", "1.21rc10",
        "1.21.0", "1.21.1", "1.21.3rc1", "1.27", "1.27.10", "1.27.9", "1.100", "1.99.9999999999",
        "2.0", "2.0.0", "01.2", "1.02", "1.22;id", "v1.2", "go1.2", "1.2.", "x",
    ]  # fmt: skip
    pairs = list(itertools.product(versions, versions))
    source = """package main
import ("bufio"; "fmt"; "go/version"; "os"; "strings")
func main() {
    for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
        x, y, _ := strings.Cut(lines.Text(), " ")
        fmt.Println(version.Compare("go"+x, "go"+y))
    }
}
"""
    files(tmp_path, go_mod=HEAD + "go 1.22\n", main_go=source)
    built = go("build", "-o", "compare", "main.go", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    said = subprocess.run(
        [tmp_path / "compare"],
        input="".join(f"{x} {y}\n" for x, y in pairs),
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [(order(x) > order(y)) - (order(x) < order(y)) for x, y in pairs]
    assert dict(zip(pairs, ours, strict=True)) == dict(
        zip(pairs, map(int, said.stdout.split()), strict=True)
    )


@pytest.mark.parametrize(
    "setting", ["local", "auto", "path", "local+auto", "{running}", "go1.24.0", "go1.24"]
)
@pytest.mark.parametrize(
    "lines",
    [
        "", "go 1.16", "go 1.26", "go {now}", "go 1.99", "go 1.99.0", "go 1.99rc1", "go 2.0",
        "go 1.21\ntoolchain go1.99.0", "go 1.21\ntoolchain go1.99", "go 1.21\ntoolchain go1.22.0",
        "go 1.99\ntoolchain default", "go 1.21\ntoolchain default",
        "go 1.98\ntoolchain go1.99.0-corp", "go 1.99.1\ntoolchain go1.99.0",
    ],
)  # fmt: skip
def test_verdicts_are_those_of_the_real_go(
    running: str, tmp_path: Path, setting: str, lines: str
) -> None:
    setting = setting.replace("{running}", f"go{running}")
    lines = lines.replace("{now}", running)
    files(tmp_path, go_mod=f"{HEAD}{lines}\n")
    ours = outcome(running, setting, find(str(tmp_path)).main)
    done = go("list", "-m", cwd=tmp_path, toolchain=setting, flags="-mod=mod")
    if ours.serves:
        assert done.returncode == 0, done.stderr
    elif ours.fetched and (not ours.error or "requires" in ours.error):
        assert f"download {ours.name} " in done.stderr  # the fetched one would say the rest
    else:
        assert ours.error in done.stderr.splitlines()


@pytest.mark.parametrize(
    ("work", "module", "wrong"),
    [
        ("go 1.24\nuse ./a\n", "go 1.24", False),
        ("go 1.24\nuse (\n\ta // why\n)\n", "go 1.24rc1", True),
        ("go 1.24.0\nuse `./a`\n", "go 1.24", False),
        ("go 1.24\nuse ./a\n", "go 1.24.0", True),
        ('go 1.24\nuse "./a"\n', "go 1.99", True),
        ("use ./a\n", "go 1.18", False),
        ("use ./a\n", "go 1.20.3", False),
        ("use ./a\n", "go 1.21", True),
        ("use ./a\n", "", False),
    ],
)
def test_a_workspace_is_refused_where_go_refuses_it(
    running: str, tmp_path: Path, work: str, module: str, wrong: bool
) -> None:
    files(tmp_path, go_work=work, a__go_mod=f"{HEAD}{module}\n")
    done = go("list", "-m", cwd=tmp_path)
    assert ("listed in go.work file requires go >=" in done.stderr) == wrong, done.stderr
    project = find(str(tmp_path / "a"))
    assert project.too_old_for(project.modules[0]) == wrong


@pytest.mark.parametrize("name", ["go.mod", "go.work"])
@pytest.mark.parametrize(
    "text",
    [
        "go 1.22;id\n", "go 1.22.\n", "go\n", "go 1.22 1.23\n", 'go "1.22"\n', "go (\n1.22\n)\n",
        "go 1.22\ngo 1.22\n", "go1.22\n", "toolchain 1.22.0\n", "toolchain go2.0.0\n", "use a b\n",
        "use (\n./a\n", "use ( ./a )\n", "use ( )\n", "use (\n) x\n", "use 'a'\n", 'use "a\n',
        "use `a\n", "/* x */\n", "go 1.22 /* x */\n", "use a/*\n", "\x00\n", "a\x01b\n", ")\n",
        "use x (\n)\n", "(\n", "go 1.22 // x\n", "\ufeffgo 1.22\n", "go\u00a01.22\n", "go 1.22\r\n",
        "\r\n\t go\t1.22\r\n", "require (\n\tgithub.com/x/y v1.2.3\n)\n", "godebug a=1\n",
        "// only\n", "use a//b\n", "module example.com/x y\n", "toolchain default", "use x(y\n",
        'use "a\\"b"\n', "use a\"b\n", "unknown x\n", "go 0.1\n", "go 1.021\n", "use ([)\n",
    ],
)  # fmt: skip
def test_what_is_refused_is_what_go_refuses(
    running: str, tmp_path: Path, name: str, text: str
) -> None:
    del running
    path = tmp_path / name
    content = text if name == "go.work" or "module" in text else HEAD + text
    path.write_bytes(content.encode())
    kind = ["work"] if name == "go.work" else ["mod"]
    theirs = go(*kind, "edit", "-json", str(path), cwd=tmp_path)
    if theirs.returncode:
        with pytest.raises(ProjectError, match=f"^{re.escape(str(path))}:[0-9]+: "):
            parse(path, content)
        return
    ours = parse(path, content)
    data = json.loads(theirs.stdout)
    assert ours.go == data.get("Go")
    if name == "go.mod":  # `go work edit -json` leaves it out
        assert ours.toolchain == data.get("Toolchain")
    assert [use for _, use in ours.uses] == [row["DiskPath"] for row in data.get("Use") or []]


def test_lines_and_defaults() -> None:
    file = parse(MOD, "// x\nmodule (\n\t`a.b/c`\n)\n\ngo 1.22 // y\ntoolchain go1.23.1\n")
    assert file == GoFile(MOD, "a.b/c", "1.22", 6, "go1.23.1", 7)
    assert (parse(MOD, HEAD).required, parse(WORK, "").required) == ("1.16", "1.18")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("go 1.22;id", "/p/go.mod:2: invalid go version '1.22;id': must match format 1.23.0"),
        # The go command takes it, as older than every release.
        ("go 1.21.3rc1", "/p/go.mod:2: invalid go version '1.21.3rc1': must match format 1.23.0"),
        ("\n\ntoolchain go1.22;id", "/p/go.mod:4: invalid toolchain 'go1.22;id'"),
        ("toolchain go1.22/../x", "/p/go.mod:2: invalid toolchain 'go1.22/../x'"),
        ("toolchain go1.22.0-../x", "/p/go.mod:2: invalid toolchain"),
        ("require (\n\tx v1\n", "/p/go.mod:4: syntax error (unterminated block started at line 2)"),
        ("\x7fELF", "/p/go.mod:2: syntax error: unexpected character '\\x7f'"),
    ],
)
def test_where_and_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        parse(MOD, HEAD + text)
    assert str(caught.value).startswith(said)


def test_decimals_have_no_limit() -> None:
    for text in ("go " + "9" * 10000 + ".1", "go 1." + "9" * 10000):
        assert outcome("1.27.3", "local", parse(MOD, HEAD + text)).error


def test_the_files_are_found_as_the_go_command_finds_them(tmp_path: Path) -> None:
    root = files(tmp_path, go_work="use (\n ./a\n b/../b\n)\n", a__go_mod=HEAD, b__go_mod=HEAD)
    (files(root, c__d__go_mod=HEAD) / "a/go.work").mkdir()
    (root / "a/x/go.mod").mkdir(parents=True)
    inside = find(str(root / "a/x"))
    assert inside.main.path == root / "go.work"
    assert [file.path for file in inside.modules] == [root / "a/go.mod", root / "b/go.mod"]
    assert inside.stray is None
    assert find(str(root / "c/d")).stray == root / "c/d/go.mod"
    assert find(str(root / "c/d"), workspace=False).main.path == root / "c/d/go.mod"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    root = files(tmp_path, big__go_mod=b"//" * (5 << 20), raw__go_mod=b"\x7fELF\x02\x00\xff\xfe",
                 nowhere__go_work="go 1.22\nuse ./x\n", nul__go_work="use `a\0b`\n",
                 twice__go_work="use .\nuse ./a/..\n", twice__go_mod=HEAD, file=b"")  # fmt: skip
    (root / "dir/go.mod").mkdir(parents=True)
    (root / "device").mkdir()
    os.mkfifo(root / "device/go.mod")
    loops = files(root, loops__go_work="use ./x\n") / "loops"
    (loops / "x").mkdir()
    (loops / "x/go.mod").mkdir()
    told = {
        "big": "big/go.mod: larger than 1048576 bytes",
        "raw": "raw/go.mod:1: syntax error: unexpected character '\\x7f'",
        "nowhere": f"nowhere/go.work:2: use ./x leads nowhere: there is no {root}/nowhere/x/go.mod",
        "nul": "nul/go.work:1: use a\0b leads nowhere",
        "twice": "twice/go.work:2: use ./a/.. stands there twice",
        "file": "file: is no directory",
        "missing": "missing: does not exist",
        "device": "device/go.mod: is no regular file",
        "loops": "loops/x/go.mod: is no regular file",
        "dir": f"dir: no go.mod there, nor in a directory above it ({root}/dir/go.mod is a dir",
    }
    for name, said in told.items():
        with pytest.raises(ProjectError) as caught:
            find(str(root / name))
        assert str(caught.value).startswith(f"{root}/{said}"), name
    with pytest.raises(ProjectError):
        find("")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("go 1.20", ""),
        ("go 1.21", "go1.20.14 is older than go 1.21"),
        ("go 1.20.3", "go1.20.14 does not know a line such as `go 1.20.3`"),
        ("go 1.19\ntoolchain go1.19", "does not know a line such as `toolchain go1.19`"),
    ],
)
def test_a_go_before_1_21_neither_switches_nor_knows_the_new_lines(lines: str, said: str) -> None:
    answer = outcome("1.20.14", "auto", parse(MOD, HEAD + lines))
    assert (answer.name, answer.fetched) == ("go1.20.14", False)
    assert answer.error.endswith(said)
    assert answer.serves == (not said)
