r"""The lint of host scripts: nothing that macOS's tools and its bash 3.2 do not have.

Two kinds of rules. What is never needed is refused everywhere (`EVERYWHERE`). What some host has to
have is refused where nothing says that this host has it (`GUARDED`). It says so, on the way to the
line:

- a branch that asks for it: `if command -v flock …; then`, `if find / -prune -printf '' …; then`;
- a branch of Linux: `if [ "$system" = Linux ]`, the `else` of `= Darwin`, `[ -r /proc/… ]`,
  `[ -d /run/systemd/system ]`;
- a line of a function that leaves it otherwise: `[ -d /proc/1 ] || return 0`;
- the command itself may fail: `mv -f -T a b 2>/dev/null` as a condition, or with `||` behind it.

Whole scripts that are for Linux alone are in `LINUX_ONLY`, with the reason. `sha256sum` has a rule
of its own: the script also knows `shasum`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Prefix of a script's name in tests/support/rendered.py -> why no Mac ever runs it.
LINUX_ONLY = {
    "pressure": "slices: macOS has no cgroups, the plan says not applicable",
    "reload": "slices: systemd",
    "restart": "slices: systemd",
    "packages": "cgo.install: apt",
    "schedule": "schedule: systemd timers; on macOS an error of the plan",
    "unschedule": "schedule: systemd timers",
    "converge-scheduled": "schedule: what a systemd timer runs",
    "go-slice-linux": "slices: the one of a Mac is go-slice-mac",
}

#: Name of a script, rule -> why it is right there.
ALLOWED = {
    ("trace-causes", "function name"): "a line of fish",
    ("trace-causes", "$'…'"): "a line of fish",
    ("trim-cache", "function name"): "a line of awk",
    ("trim-cache", "find -delete"): "of names without a slash, from within their directory",
}

#: Not in macOS's tools, not in bash 3.2, or spelled otherwise there.
EVERYWHERE = {
    "readlink -f": r"\breadlink -[nm]*f",
    "sed -i": r"\bsed (-[nEr]+ )*-i|\bsed .*--in-place",
    "sed: \\t, \\+, \\| or \\? of GNU": r"\bsed [^|;]*'[^']*(?<!\\)(?:\\\\)*\\[t+|?w]",
    # BSD's writes an n. In what is looked for it is POSIX.
    "sed: \\n in a replacement": (
        r"\bsed .*\bs([|/,#!@])(?:\\.|(?!\1)[^\\])*\1(?:\\[^n]|(?!\1)[^\\])*\\n"
    ),
    "sed -r, -z, -s": r"\bsed (-[A-Za-z]+ )*-[A-Za-z]*[rzs]",
    "cp, mv or ln -t": r"\b(cp|mv|ln) (-[A-Za-z]+ )*-[A-Za-z]*t\b",
    ";& or ;;&": r";;?&",
    "exec {fd}": r"\bexec \{\w+\}[<>]",
    "cp -a": r"\bcp -[A-Za-z]*a",
    "date -d": r"\bdate (-u )?-[dI]|\bdate [^|;)]*%[0-9]*N",
    "timeout": r"(?<!-)(?<!-connect-)(?<!connect)\btimeout ",
    "mktemp": r"\bmktemp (--|-p)",
    "not a program of macOS": r"(?<![-/.\w])(tac|shuf|numfmt|stdbuf|md5sum|sha1sum|realpath) ",
    "grep -P": r"\bgrep -[A-Za-z]*P|\bgrep [^|;]*'[^']*\\[|+?][^']*'",
    "xargs of GNU": r"\bxargs (-0 )?-[dra]\b",
    "sort -V": r"\bsort -[a-z]*V",
    "touch -d": r"\btouch -[a-z]*d",
    "ln of GNU": r"\bln -[a-z]*[Tr]",
    "du or df of GNU": r"\bdu -[a-z]*b|\bdf -[A-Za-z]*T",
    "od, base64, cut of GNU": r"\bod [^|]*-w[0-9]|\bbase64 -w|\bcut .*--complement",
    "head -c of all but": r"\b(head|tail) -[cn] ?-[0-9]",
    "find of GNU": r"-(executable|readable|writable|regextype|xtype|fprintf|quit)\b|-perm /",
    "find without a path": r"\bfind -",
    # Apple's ends at the first name it is given that has a slash: "relative path potentially not
    # safe". Where none has, ALLOWED says so.
    "find -delete": r"\bfind [^|;&]*-delete\b",
    "tar of GNU": r"\btar [^|;]*--(wildcards|transform|sort|mtime|owner|one-top-level)",
    "ps of GNU": r"\bps [^|;]*(--|\betimes\b|\bstart_time\b|\bcgroup\b|-q )",
    "[[": r"\[\[",
    "a word of bash": r"(?<![-\w.'=])(local|declare|typeset|mapfile|readarray|coproc) ",
    "source": r"(?<![\w-])source /",
    "echo -n, -e": r"\becho -[neE]",
    "<( or <<<": r"<\(|<<<",
    "&> or |&": r"(?<![<>&0-9])&>|\|&(?!&)",
    "${x^^}, ${x,,}, ${!x}, ${x/a/b}, ${x:1:2}": r"\$\{\w+(\^|,|/|:[0-9]|@)|\$\{!",
    "a variable of newer bashes": r"\$\{?(EPOCHSECONDS|EPOCHREALTIME|SRANDOM|BASHPID)\b",
    "$'…'": r"(?<![\w'\\\"$])\$'",
    "function name": r"^\s*function ",
    "wait -n, read -t": r"\bwait -n\b|\bread -[a-qs-z]",
    "awk of GNU": r"\b(gensub|strftime|systime|asorti?|toupper_)\(",
}

_PROGRAMS = "flock getent setpriv runuser setsid nproc systemctl loginctl useradd lsof busybox"
#: Functions of ours that ask for a program.
_ASKED_BY = {"setpriv": r"\bbecomes\b"}
#: What has to be asked for first, and the expression of what asks for it.
GUARDED = {
    "stat -c": (r"\bstat (-L )?(-c|--)", r"\bstat (-L )?-c"),
    "find -printf": (r"-printf\b", r"-printf\b"),
    "mv -T": (r"\bmv (-f )?-T\b", r"\bmv (-f )?-T\b"),
    "a long option": (
        r"\b(cp|mv|ls|rm|ln|mkdir|chmod|chown|head|tail|wc|id|env|sort|touch|du|df|grep) "
        r"([^|;&'\"]* )?--[a-z]",
        r"$^",
    ),
    "ls -q": (r"\bls -[a-zA-Z]*q", r"$^"),
    "/proc": (r"(?<![\w.])/proc/(?!.*\*\))", r"/proc|\bsystemctl\b"),
    **{
        name: (
            rf"(?<![-\w./]){name} (?=[-$\"'a-z])(?!\|)",
            rf"command -v {name}|(?<![-\w]){name} |{_ASKED_BY.get(name, '$^')}",
        )
        for name in _PROGRAMS.split()
    },
}
_LINUX = re.compile(
    r'(system|uname -s\)?)"? = Linux|(-[rdefs] |"?\$?)(/proc\b|/sys/fs/cgroup|/run/systemd/system)'
)
_NOT_MAC = re.compile(r'(system"?|"\$\(uname -s\)") = Darwin|(system"?) != Linux')
_MAY_FAIL = re.compile(r"2>/dev/null|>/dev/null 2>&1|\bgrep -[a-zA-Z]* ?-?s\b")


@dataclass
class Branch:
    """A branch that a line is in: what was asked, and with which answer."""

    asked: list[tuple[str, bool]]
    kind: str


def complaints(name: str, text: str) -> list[str]:
    """What a Mac would not understand in the script `name`, a line each."""
    if any(name.startswith(prefix) for prefix in LINUX_ONLY):
        return []
    found = []
    if re.search(r"\bsha256sum\b", text) and "shasum -a 256" not in text:
        found.append("sha256sum: the script knows no shasum -a 256")
    for line, guards in _lines(text):
        for rule, pattern in EVERYWHERE.items():
            if re.search(pattern, line) and (name, rule) not in ALLOWED:
                found.append(f"{rule}: {line.strip()}")
        for rule, (pattern, asks) in GUARDED.items():
            match = re.search(pattern, line)
            if match and not _allowed(line, match, asks, guards):
                found.append(f"{rule}: {line.strip()}")
    return found


def _allowed(line: str, match: re.Match[str], asks: str, guards: list[tuple[str, bool]]) -> bool:
    for asked, answer in guards:
        if answer and (re.search(asks, asked) or _LINUX.search(asked)):
            return True
        if not answer and _NOT_MAC.search(asked):
            return True
    before, rest = line[: match.start()], line[match.start() :]
    if re.search(asks, before) and re.search(r"&&|\|\|", before):
        return True  # asked for on the same line
    if re.search(r"(^|[\s;(!])\[ !? ?-[rdefLsx] *\"?$", before) or "command -v" in before[-14:]:
        return True  # this asks
    condition = re.search(r"(^|[;\s])(if|elif|until|while) [^;]*$|\|\| *$|&& *$", before)
    return bool(_MAY_FAIL.search(line)) and bool(condition or "||" in rest or "$(" in before)


def _lines(text: str) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Each line of code, continued ones joined, with what was asked on the way to it."""
    stack: list[Branch] = [Branch([], "script")]
    joined = re.sub(r"\\\n\s*|(?<=[|&])\n\s*(?=\S)", " ", text)
    for raw in joined.splitlines():
        line = re.sub(r"(^|\s)#(?!\{).*$", "", raw)
        code = line.strip().replace("'\\''", "'")
        if not code:
            continue
        if re.match(r"fi\b|done\b|esac\b|\}|\)", code) and len(stack) > 1:
            kind = {"fi": "if", "es": "case", "do": "loop"}.get(code[:2], "function")
            if any(branch.kind == kind for branch in stack[1:]):
                while stack[-1].kind != kind:
                    stack.pop()
                stack.pop()
        condition = re.match(r"(if|elif) (.*?);? then\b", code)
        if condition and condition[1] == "elif" and stack[-1].kind == "if":
            stack[-1].asked = [(a, False) for a, _ in stack[-1].asked]
        guards = [asked for branch in stack for asked in branch.asked]
        if code == "else" and stack[-1].kind == "if":
            last = stack[-1].asked
            stack[-1].asked = [(asked, not answer) for asked, answer in last[-1:]] + [
                (asked, False) for asked, _ in last[:-1]
            ]
        elif condition and not re.search(r";?\s*fi\b[^;]*$", code[condition.end() :]):
            if condition[1] == "elif" and stack[-1].kind == "if":
                stack[-1].asked.append((condition[2], True))
            else:
                stack.append(Branch([(condition[2], True)], "if"))
        elif condition:  # all on one line
            guards = [*guards, (condition[2], True)]
        elif re.search(r"\(\) [{(]$", code):
            stack.append(Branch([], "function"))
        elif leaves := re.match(
            r"(\[ .* \]|command -v .*?) \|\| (return|exit|\{.*(return|exit))", code
        ):
            stack[-1].asked.append((leaves[1], True))
        yield line, guards
