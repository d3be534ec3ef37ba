"""Names of users as they are declared."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from gostead.declaration.grammar import Refusal, text_check

# POSIX.1-2017 3.437: the portable file name character set, no hyphen first. Narrower by one: a
# letter or _ first, so that a name is never a UID, a path or an option.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,31}")
_EXPECTED = "a user's name, self (who connects) or humans (people with a login shell)"


def check_user(text: str) -> str:
    """`text` if it can be a user's name, `self` or `humans`. Raises Refusal."""
    if not _NAME.fullmatch(text):
        hint = "letters, digits, . _ and -, a letter or _ first, at most 32; names, not numbers"
        raise Refusal(_EXPECTED, hint)
    return text


User = Annotated[
    str,
    BeforeValidator(text_check(check_user, _EXPECTED)),
    Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$"}),
]
