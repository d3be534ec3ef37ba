"""From a release archive (tar.gz) to the canonical tar."""

from gostead.sources.errors import Contents
from gostead.sources.gunzip import gunzip
from gostead.sources.names import check_name
from gostead.sources.native import Prefetch
from gostead.sources.packed import PackedFile
from gostead.sources.redact import printable
from gostead.sources.tarstream import TarStream
from gostead.sources.writer import MAX_MEMBERS, CanonicalWriter

DROPPED = frozenset({"api", "doc", "misc", "test"})
"""Top directories that the toolchain module leaves out: no checksum vouches for them."""

_AHEAD = 4


def unpack_archive(packed: PackedFile, writer: CanonicalWriter) -> None:
    """Feeds the files of the gzipped tar to `writer`, less what the module leaves out.

    Raises Contents for a member that is outside `go/`, or that TarStream or the writer refuses;
    members that are dropped are checked like the others.
    """
    with Prefetch(gunzip(packed), _AHEAD) as pieces:
        stream = TarStream(pieces)
        for count, member in enumerate(stream):
            if count >= 2 * MAX_MEMBERS:
                raise Contents(f"more than {2 * MAX_MEMBERS} members")
            top, _, path = check_name(member.name).partition("/")
            if top != "go" or not (path or member.directory):
                raise Contents(f"member {printable(member.name)!r} is outside the directory go/")
            if member.directory or path.partition("/")[0] in DROPPED:
                continue
            if path.rpartition("/")[2] == "_go.mod":
                # In the hash it could not be told from a go.mod.
                raise Contents(f"member {printable(member.name)!r} has a name that archives lack")
            writer.add(path, member.size, stream.data())
