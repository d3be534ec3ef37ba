"""The programs of macOS that differ from Debian's only in the options that they take.

Each becomes a wrapper at macOS's own place. It looks at the options as BSD's getopt(3) does: only
the listed letters, none behind the first operand, no long ones; what is left goes to Debian's
program in /.stand-in/bin. A letter is listed only where it means the same to both. Sources: the
manual pages of macOS. Programs whose answers differ too are written out, below `programs/`.
"""

from __future__ import annotations

from dataclasses import dataclass

HIDDEN = "/.stand-in/bin"


@dataclass(frozen=True)
class Wrapped:
    """`options` as getopts takes them; `usage` is the exit code for a wrong one; `runs` tells that
    the operands are another program's words."""

    options: str
    place: str = "/usr/bin"
    usage: int = 1
    runs: bool = False
    real: str = ""


def _bin(options: str, usage: int = 1) -> Wrapped:
    return Wrapped(options, "/bin", usage)


WRAPPED = {
    "awk": Wrapped("F:v:f:", usage=2, runs=True, real="mawk"),
    "basename": Wrapped("as:"),
    "cat": _bin("benstuv"),
    "chgrp": Wrapped("RHLPfhv"),
    "chmod": _bin("RHLPfv"),
    "chown": Wrapped("RHLPfhv", "/usr/sbin"),
    "cksum": Wrapped(""),
    "cmp": Wrapped("lsx"),
    "comm": Wrapped("123i"),
    "cp": _bin("RHLPafinprvlsx", 64),
    "crontab": Wrapped("u:lre"),
    "cut": Wrapped("b:c:d:f:ns"),
    "dd": _bin(""),
    "diff": Wrapped("abBcdeilnpqrstuw0123456789U:C:", usage=2),
    "dirname": Wrapped(""),
    "du": Wrapped("HLPacdhkmsx", usage=64),
    "env": Wrapped("iu:v", runs=True),
    "expand": Wrapped("t:"),
    "expr": _bin(""),
    "false": Wrapped("", runs=True),
    "fold": Wrapped("bsw:"),
    "getconf": Wrapped("av:"),
    "grep": Wrapped("0123456789A:B:C:EFGHLRUVabce:f:hilm:noqrsvwxz", usage=2),
    "egrep": Wrapped("ABC:EFGHLRace:f:hilm:noqrsvwx", usage=2),
    "groups": Wrapped(""),
    "gunzip": Wrapped("cdfhklNnqrtVv"),
    "gzip": Wrapped("123456789cdfhklNnqrtVv"),
    "head": Wrapped("0123456789n:c:"),
    "hostname": _bin("fs"),
    "install": Wrapped("CDdpsvg:m:o:"),
    "join": Wrapped("a:e:o:t:v:1:2:"),
    "kill": Wrapped("ls:", "/bin", runs=True),
    "link": _bin(""),
    "logname": Wrapped(""),
    "ls": _bin("1ACFHLRSacdfhiklmnopqrstux"),
    "mkdir": _bin("pvm:", 64),
    "mkfifo": Wrapped("m:"),
    "nice": Wrapped("n:", runs=True),
    "nohup": Wrapped("", runs=True),
    "paste": Wrapped("d:s"),
    "printenv": Wrapped("", runs=True),
    "printf": Wrapped("", runs=True),
    "pwd": _bin("LP"),
    "rev": Wrapped(""),
    "rm": _bin("dfiIRrvx", 64),
    "rmdir": _bin("p"),
    "seq": Wrapped("f:s:t:w", runs=True),
    "sleep": _bin(""),
    "sort": Wrapped("bCcdfghik:Mmno:RrS:st:T:uVz", usage=2),
    "split": Wrapped("a:b:l:n:"),
    "stty": _bin("aefg", 1),
    "sum": Wrapped(""),
    "tail": Wrapped("0123456789Ffc:n:q"),
    "tee": Wrapped("ai"),
    "touch": Wrapped("acfhmr:t:"),
    "tr": Wrapped("Ccds"),
    "true": Wrapped("", runs=True),
    "tty": Wrapped("s"),
    "uniq": Wrapped("cdiuf:s:"),
    "which": Wrapped("as"),
    "whoami": Wrapped(""),
    "yes": Wrapped("", runs=True),
    "zcat": Wrapped("fhV"),
}

#: Here the very programs of Debian do: shells, and what has no dialect.
PLAIN = {
    "/bin": ("bash", "dash", "zsh", "test", "["),
    "/usr/bin": ("curl", "openssl", "perl", "scp", "sftp", "ssh", "ssh-keygen", "sudo", "tar"),
    "/usr/sbin": ("chroot", "sshd", "visudo"),
}
#: What PLAIN and the shims call by another name.
REAL = {"tar": "bsdtar", "sh": "bash"}

_WRAPPER = """\
#!/.stand-in/bin/dash
# Made by tests/hosts/darwin/userland.py: {name} takes what macOS's takes.
while getopts ':{options}' letter; do
  case $letter in
  [?]) echo "{name}: illegal option -- $OPTARG" >&2 && exit {usage} ;;
  :) echo "{name}: option requires an argument -- $OPTARG" >&2 && exit {usage} ;;
  esac
done
{operands}unset letter OPTARG
exec {hidden}/{real} "$@"
"""
_OPERANDS = """\
count=0 ended=no
for word; do
  count=$((count + 1))
  if [ "$count" -lt "$OPTIND" ]; then
    case $word in --) ended=yes ;; esac
    continue
  fi
  case $ended$word in
  no-?*)
    echo "{name}: $word: an option behind an operand is a file's name to BSD's getopt" >&2
    exit 1
    ;;
  esac
done
unset count ended word
"""


def wrappers() -> dict[str, str]:
    """Path -> text of each wrapper."""
    return {
        f"{tool.place}/{name}": _WRAPPER.format(
            name=name, options=tool.options, usage=tool.usage, hidden=HIDDEN,
            real=tool.real or name, operands="" if tool.runs else _OPERANDS.format(name=name),
        )
        for name, tool in WRAPPED.items()
    }  # fmt: skip


def plain() -> dict[str, str]:
    """Path -> path of Debian's program that stands there."""
    made = {"/bin/sh": f"{HIDDEN}/bash"}
    for place, names in PLAIN.items():
        made |= {f"{place}/{name}": f"{HIDDEN}/{REAL.get(name, name)}" for name in names}
    return made
