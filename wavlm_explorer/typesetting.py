"""Words and equations as HTML that every browser sets by itself."""

import re
from typing import Literal

import latex2mathml.converter
from markupsafe import Markup, escape

_MARKS = re.compile(
    r"\\(?P<literal>[^a-zA-Z0-9\s])|\*\*(?P<strong>\S|\S.*?\S)\*\*|\*(?P<emphasis>\S|\S.*?\S)\*|"
    r"`(?P<code>[^`]+)`|\$(?P<equation>[^$]+)\$",
    re.DOTALL,
)


def set_equation(latex: str, display: Literal["inline", "block"] = "inline") -> Markup:
    """Turn LaTeX into MathML; large delimiters and extra leading are left to the browser, underscores need no mark."""
    plain = re.sub(r"\\\\\[[^\]]*\]", r"\\\\", re.sub(r"\\[bB]ig+(?=\\)", "", latex))
    return Markup(latex2mathml.converter.convert(plain, display=display).replace(r"\_", "_"))


def set_code(text: str) -> Markup:
    """Set what stands between backticks as code; all else is text."""
    parts = enumerate(text.split("`"))
    return Markup().join(Markup("<code>%s</code>") % part if index % 2 else escape(part) for index, part in parts)


def set_prose(markdown: str) -> Markup:
    """Set what a view says: **strong**, *emphasis*, `code`, $LaTeX$ and an escaped \\* are marks, all else is text."""
    html, end = Markup(), 0
    for match in _MARKS.finditer(markdown):
        html += escape(markdown[end : match.start()]) + _set_mark(str(match.lastgroup), match[str(match.lastgroup)])
        end = match.end()
    return html + escape(markdown[end:])


def _set_mark(kind: str, text: str) -> Markup:
    match kind:
        case "strong":
            return Markup("<strong>%s</strong>") % set_prose(text)
        case "emphasis":
            return Markup("<em>%s</em>") % set_prose(text)
        case "code":
            return Markup("<code>%s</code>") % text
        case "equation":
            return set_equation(text)
    return escape(text)
