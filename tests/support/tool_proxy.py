"""A GOPROXY in a directory, with tools that say their version and the Go that built them."""

from __future__ import annotations

import io
import json
import zipfile

from tests.support.root import Root

HOST = "tools.example.com"
MAIN = """package main

import (
\t"fmt"
\t"runtime"
)

func main() { fmt.Println("%s", runtime.Version()) }
"""


def publish(root: Root, name: str, version: str = "v1.0.0", *, go: str = "1.26",
            source: str = "", where: str = "/srv/proxy") -> str:  # fmt: skip
    """Puts a module with one program into the proxy of a root; returns what is declared for it."""
    module = f"{HOST}/{name}"
    files = {
        "go.mod": f"module {module}\n\ngo {go}\n",
        "main.go": source or MAIN % f"{name} {version}",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for path, text in files.items():
            made.writestr(f"{module}@{version}/{path}", text)
    directory = root.path / where.lstrip("/") / module / "@v"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{version}.zip").write_bytes(packed.getvalue())
    (directory / f"{version}.mod").write_text(files["go.mod"])
    (directory / f"{version}.info").write_text(json.dumps({"Version": version}))
    with (directory / "list").open("a") as listed:
        listed.write(f"{version}\n")
    return f"{module}@{version}"


#: Settings with which the tools of this proxy are built: no checksum database knows them.
ENV = {"GOPROXY": "file:///srv/proxy", "GONOSUMDB": f"{HOST}/*"}
