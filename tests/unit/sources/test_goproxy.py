"""The GOPROXY grammar and where the list comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gostead.sources import ProxyEntry, SourceError, goproxy_list
from gostead.sources.goproxy import parse_goproxy


def never(_: Mapping[str, str]) -> str:
    raise AssertionError("go was asked although something else said it")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" , |,", []),
        ("https://a", [("https://a", "absent")]),
        ("https://a/,http://b|file:///c", [
            ("https://a", "absent"), ("http://b", "any"), ("file:///c", "absent"),
        ]),
        ("https://a | https://b", [("https://a", "any"), ("https://b", "absent")]),
        ("https://a,direct,https://b", [("https://a", "absent"), ("direct", "absent")]),
        ("off|https://b", [("off", "any")]),
    ],
)  # fmt: skip
def test_lists_are_read_as_the_go_command_reads_them(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [(e.base, e.fall_through) for e in parse_goproxy(text)] == expected


@pytest.mark.parametrize("text", ["proxy.example", "ftp://x", "https://a,Direct", "user:pw@host"])
def test_what_is_no_proxy_is_an_error_that_shows_no_secret(text: str) -> None:
    with pytest.raises(SourceError, match=r"element \d of the GOPROXY list") as caught:
        parse_goproxy(text)
    assert "pw" not in str(caught.value)


def test_the_declared_list_wins_over_the_variable_and_that_over_go() -> None:
    environ = {"GOPROXY": "https://variable"}
    (declared,) = goproxy_list("https://declared", environ, never)
    assert (declared.base, declared.declared, declared.first) == ("https://declared", True, True)
    (variable,) = goproxy_list(None, environ, never)
    assert (variable.base, variable.declared) == ("https://variable", False)
    (asked,) = goproxy_list(None, {"GOPROXY": ""}, lambda _: "https://asked")
    assert asked.base == "https://asked"
    assert goproxy_list(None, {}, lambda _: "") == []


def test_go_on_the_path_is_asked_for_its_setting_and_nothing_else(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text(
        '#!/bin/sh\n[ "$*" = "env GOPROXY" ] && [ "$GOTOOLCHAIN" = local ] && [ "$PWD" = / ] '
        "&& echo https://from-go,direct\n"
    )
    go.chmod(0o755)
    entries = goproxy_list(None, {"PATH": str(tmp_path)})
    assert [str(entry) for entry in entries] == ["https://from-go", "direct"]


def test_without_a_path_no_go_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho https://from-go\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert goproxy_list(None, {}) == []


@pytest.mark.parametrize("script", ["exit 1", "sleep 60"])
def test_a_go_that_fails_or_hangs_is_no_go(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gostead.sources.goproxy.GO_TIMEOUT", 0.3)
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\nexec {script}\n" if "sleep" in script else f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    assert goproxy_list(None, {"PATH": f"{tmp_path}:/usr/bin:/bin"}) == []


def test_repr_and_text_hide_the_password() -> None:
    entry = ProxyEntry("url", "https://ann:canary@proxy.example/go", "absent")
    assert "canary" not in repr(entry) + str(entry)
    assert str(entry) == "https://proxy.example/go"


ELEMENTS = st.sampled_from(["https://a", "http://b/x", "file:///c", "direct", "off", ""])


@given(st.lists(st.tuples(ELEMENTS, st.sampled_from(",|"))))
def test_every_list_of_good_elements_is_read(elements: list[tuple[str, str]]) -> None:
    entries = parse_goproxy("".join(element + separator for element, separator in elements))
    said = [(e, s) for e, s in elements if e]
    stop = next((i for i, (e, _) in enumerate(said) if e in ("direct", "off")), len(said))
    assert [(e.base, e.fall_through) for e in entries] == [
        (element, "any" if separator == "|" else "absent")
        for element, separator in said[: stop + 1]
    ]
    assert [e.first for e in entries] == [i == 0 for i in range(len(entries))]


@given(st.text(max_size=60))
def test_any_text_is_a_list_or_an_error(text: str) -> None:
    try:
        entries = parse_goproxy(text)
    except SourceError:
        return
    for entry in entries:
        assert entry.kind != "url" or entry.base.startswith(("https://", "http://", "file://"))
