"""From a release archive (tar.gz) to the canonical tar."""

from gostead.sources.errors import Refused
from gostead.sources.gunzip import gunzip
from gostead.sources.names import check_name
from gostead.sources.prefetch import Prefetch
from gostead.sources.redact import printable
from gostead.sources.tarstream import TarStream
from gostead.sources.writer import MAX_MEMBERS, CanonicalWriter

DROPPED = frozenset({"api", "doc", "misc", "test"})
"""Top directories that the toolchain module leaves out: no checksum vouches for them."""

_AHEAD = 4


def unpack_archive(fd: int, writer: CanonicalWriter) -> None:
    """Feeds the files of the gzipped tar `fd` to `writer`, less what the module leaves out.

    Raises Refused for a member that is outside `go/`, or that TarStream or the writer refuses;
    members that are dropped are checked like the others.
    """
    with Prefetch(gunzip(fd), _AHEAD) as pieces:
        stream = TarStream(pieces)
        for count, member in enumerate(stream):
            if count >= 2 * MAX_MEMBERS:
                raise Refused(f"more than {2 * MAX_MEMBERS} members")
            top, _, path = check_name(member.name).partition("/")
            if top != "go" or not (path or member.directory):
                raise Refused(f"member {printable(member.name)!r} is outside the directory go/")
            if member.directory or path.partition("/")[0] in DROPPED:
                continue
            if path.rpartition("/")[2] == "_go.mod":
                # In the hash it could not be told from a go.mod.
                raise Refused(f"member {printable(member.name)!r} has a name that archives lack")
            writer.add(path, member.size, stream.data())
