"""What an access key is said to be for, as a capture keeps it (pure).

AWS's console keeps the description of an access key as a tag of its user, named by the id of the key. People write
anything there, the secret itself included.
"""

from __future__ import annotations

import re

from keyaudit.texts import line, short_id

#: the longest that is kept, in characters; AWS takes 256
MOST_LETTERS = 120
#: ids of access keys, long-term and temporary (IAM User Guide, "Understanding unique ID prefixes")
_KEY_ID = re.compile(r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])")


def purpose_of(description: str) -> str:
    """A description in one line of at most ``MOST_LETTERS`` characters, empty if nothing is said: without what
    looks like a secret, with ids of keys by their last four characters, and with the codes of what cannot be seen.
    What it made is left as it is."""
    text = _KEY_ID.sub(lambda found: short_id(found[0]), line(description.strip()))
    # cut after that, for half a secret does not look like one; and looked at again, for a part of a word may
    return text if len(text) <= MOST_LETTERS else purpose_of(text[: MOST_LETTERS - 1] + "…")
