"""Small releases of Go that never were: their `go` is a shell script, and installs in no time.

For tests of what is done *with* toolchains. What a compiler or 12,000 files matter for takes the
real ones (`go_cache`).
"""

from __future__ import annotations

from tests.support.toolchain import Toolchain

GO = """\
#!/bin/sh
# What `go` answers in a made-up release.
here=$0
while [ -h "$here" ]; do
  target=$(readlink "$here")
  case $target in
  /*) here=$target ;;
  *) here=${{here%/*}}/$target ;;
  esac
done
root=$(cd "${{here%/*}}/.." && pwd -P)
# os.UserConfigDir and os.UserCacheDir; cfg.DefaultCC
case {system} in
darwin) config="$HOME/Library/Application Support" caches=$HOME/Library/Caches cc=clang ;;
*) config=${{XDG_CONFIG_HOME:-$HOME/.config}} caches=${{XDG_CACHE_HOME:-$HOME/.cache}} cc=gcc ;;
esac
# compiler: what cmd/go tries on it before it says any option for C (envcmd.ExtraEnvVarsCostly).
compiler() {{
  set -- "${{CC:-$(sed -n 's/^CC=//p' "${{GOENV:-$config/go/env}}" 2>/dev/null | tail -n 1)}}"
  ${{1:-$cc}} '-###' -x c -c - </dev/null >/dev/null 2>&1 || :
}}
case $*  in
"install "*)
  # A tool that says what it was built of, as its record does.
  for tool; do :; done
  path=${{tool%@*}} version=${{tool#*@}}
  name=${{path##*/}}
  case $(sed -n 's/^GOPROXY=//p' "$GOENV" 2>/dev/null) in
  direct)
    # From its repository, as cmd/go asks for it.
    case ${{GOVCS-}} in
    '*:off')
      echo "go: $tool: GOVCS disallows using git for public $path; see 'go help vcs'" >&2
      exit 1
      ;;
    esac
    git ls-remote -q --end-of-options "https://$path" || exit 1
    ;;
  esac
  case $name in liar) version=v9.9.9 ;; esac
  mkdir -p "$GOBIN"
  printf '#!/bin/sh\\n# path %s\\n# mod %s %s\\n# uid %s\\necho %s %s go{version}\\n' \\
    "$path" "$path" "$version" "$(id -u)" "$name" "$version" >"$GOBIN/$name" ||
    exit 1
  chmod 755 "$GOBIN/$name"
  case $name in
  link) ln -sf /etc/shadow "$GOBIN/link" ;;
  lingers) (sleep 3000 && cp /bin/sh "$GOBIN/lingers") >/dev/null 2>&1 & ;;
  esac
  ;;
"version -m "*)
  echo "$3: go{version}"
  sed -n "s/^# \\([a-z]*\\) /	\\1	/p" "$3" | tr ' ' '\\t'
  ;;
"build "*)
  # On a Mac by whatever clang is there.
  case {system} in
  darwin) "${{CC:-clang}}" -o program main.go ;;
  *) printf '#!/bin/sh\\necho cgo says 42\\n' >program && chmod 755 program ;;
  esac
  ;;
version) echo "go version go{version} {system}/{machine}" ;;
"env GOROOT") echo "$root" ;;
"env GOVERSION") echo "go{version}" ;;
"env GOROOT GOVERSION") printf '%s\\n%s\\n' "$root" "go{version}" ;;
"env GOTELEMETRY")
  mode=$config/go/telemetry/mode
  cut -d ' ' -f 1 "$mode" 2>/dev/null || echo local
  ;;
"env -json")
  compiler
  printf '{{"GOROOT": "%s"' "$root"
  file=$config/go/env
  sed -n 's/^\\([A-Z][A-Z0-9_]*\\)=\\(.*\\)$/, "\\1": "\\2"/p' "$file" 2>/dev/null
  # A variable comes before the file, also this one.
  if [ -n "${{CC-}}" ]; then printf ', "CC": "%s"' "$CC"; fi
  printf ', "GOTELEMETRY": "%s"}}\\n' "$("$0" env GOTELEMETRY)"
  ;;
"env -json "*)
  shift 2
  comma='{{'
  for key; do
    printf '%s"%s": "%s"' "$comma" "$key" "$("$0" env "$key")"
    comma=', '
  done
  echo '}}'
  ;;
"env GOENV") echo "${{GOENV:-$config/go/env}}" ;;
"env "*)
  # As cmd/go: a variable that is not empty, else the last line of the settings file.
  eval "value=\\${{$2-}}"
  if [ -z "$value" ]; then
    file=${{GOENV:-$config/go/env}}
    value=$(sed -n "s/^$2=//p" "$file" 2>/dev/null | tail -n 1)
  fi
  case $2-$value in
  GOCACHE-) value=$caches/go-build ;;
  CC-) value=$cc ;;
  CGO_ENABLED-) value=1 ;;
  esac
  case $2 in CGO_*FLAGS | PKG_CONFIG | GOGCCFLAGS) compiler ;; esac
  printf '%s\\n' "$value"
  ;;
*) echo "go{version} is made up: it cannot '$*'" >&2 && exit 2 ;;
esac
"""


def madeup(version: str = "1.99.1", platform: str = "linux-amd64") -> Toolchain:
    """Return the made-up release `version`; each version's content differs from all others'."""
    system, machine = platform.split("-")
    text = f"made-up release {version}\n".encode()
    files = {
        "VERSION": f"go{version}\ntime 2026-01-01T00:00:00Z\n".encode(),
        "LICENSE": text,
        "bin/go": GO.format(version=version, system=system, machine=machine).encode(),
        "bin/gofmt": b"#!/bin/sh\nexec cat\n",
        "go.env": b"GOPROXY=off\nGOTOOLCHAIN=local\n",
        "lib/wasm/go_js_wasm_exec": b"#!/bin/sh\n",
        "lib/time/zoneinfo.zip": text * 3,
        f"pkg/tool/{system}_{machine}/compile": b"#!/bin/sh\n" + b"# " + text,
        f"pkg/tool/{system}_{machine}/link": b"#!/bin/sh\n" + b"# link " + text,
        "pkg/include/textflag.h": b"// " + text,
        "src/go.mod": b"module std\n",
        "src/cmd/go.mod": b"module cmd\n",
        "src/empty.go": b"",
        "src/fmt/print.go": b"package fmt\n// " + text,
        "src/fmt/name with space.go": b"package fmt\n",
        "src/" + "deep/" * 20 + "a_file_whose_name_with_its_directories_is_over_100.go": text,
    }
    return Toolchain(version=version, platform=platform, files=files)
