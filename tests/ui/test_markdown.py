"""Strangers' text shows as it is."""

import pytest

from wavlm_explorer.ui.markdown import literal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mine.pt", "mine.pt"),
        ("![](http://x/y.png)", r"!\[\](http\://x/y.png)"),
        ("*a* _b_ <i> $x$ :red[c]", r"\*a\* \_b\_ \<i\> \$x\$ \:red\[c\]"),
        ("save it with `torch.save`.", "save it with `torch.save`."),
        ("one ` alone *", r"one \` alone \*"),
        ("a\u202eb\x00c", "a\ufffdb\ufffdc"),
    ],
)
def test_markup_is_shown_and_not_obeyed(text, shown):
    assert literal(text) == shown
