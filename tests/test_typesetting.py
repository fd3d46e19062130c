"""Words and equations as HTML: marks are set, and what is no mark stays text."""

import html

import pytest

from wavlm_explorer.typesetting import set_code, set_equation, set_prose
from wavlm_explorer.ui.markdown import literal

EVIL = "<b>&\"'"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("a **bold** and *slanted* `code`", "a <strong>bold</strong> and <em>slanted</em> <code>code</code>"),
        ("**the *x* of `y`**", "<strong>the <em>x</em> of <code>y</code></strong>"),
        ("2 * 3 and 4 * 5", "2 * 3 and 4 * 5"),
        ("*a* × *b*", "<em>a</em> × <em>b</em>"),
        (r"\*not\* \`code\` and \$5", "*not* `code` and $5"),
        ("`a*b*c`", "<code>a*b*c</code>"),
        ("one ` alone, one $ alone", "one ` alone, one $ alone"),
        ("1 < 2", "1 &lt; 2"),
        ("", ""),
    ],
)
def test_marks_are_set_and_all_else_is_text(markdown, expected):
    assert set_prose(markdown) == expected


def test_an_equation_stands_among_words():
    found = set_prose("it grows by $(1-p)^k$ **then**")
    assert found == f"it grows by {set_equation('(1-p)^k')} <strong>then</strong>"
    assert found.count("<math") == 1


@pytest.mark.parametrize("frame", ["{}", "**{}**", "*{}*", "`{}`"])
def test_a_strangers_text_never_becomes_markup(frame):
    for found in (set_prose(frame.format(EVIL)), set_code(frame.format(EVIL))):
        assert "<b>" not in found
        assert "&lt;b&gt;&amp;" in found


@pytest.mark.parametrize("name", ["a*b*c", "$x$ and $y$", "**a**", "[a](b)", "a_b_", r"back\slash", "a<b"])
def test_what_is_written_as_it_is_is_set_as_it_is(name):
    assert html.unescape(set_prose(literal(name))) == name
