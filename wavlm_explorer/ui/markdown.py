"""Strangers' text on the page: names of files and tensors, and messages that mention them."""

import re

_MARKUP = re.compile(r"([\\`*_\[\]#|<>$~:])")


def literal(text: object) -> str:
    """Write text as markdown that shows it as it is; only `code` between backticks is set as code."""
    shown = "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in str(text))
    parts = shown.split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner
        return _MARKUP.sub(r"\\\1", shown)
    return "".join(
        (f"`{part}`" if part.strip() else "") if index % 2 else _MARKUP.sub(r"\\\1", part)
        for index, part in enumerate(parts)
    )
