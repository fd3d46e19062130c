"""The page: one file, in which a stranger's text stays text."""

import base64
import io
import re
from html.parser import HTMLParser

from PIL import Image

from wavlm_explorer.diagnosis import Finding
from wavlm_explorer.document import SHARP_DPI, Document
from wavlm_explorer.figures.style import DARK, LIGHT, Picture
from wavlm_explorer.typesetting import set_prose

EVIL = "<script>alert('x')</script>\"'&"
VOID = {"meta", "img", "source", "br"}


class Balance(HTMLParser):
    """Collects what is open, and all text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parsed(document):
    parser = Balance()
    parser.feed(document.to_html())
    assert not parser.open
    return parser


def everything(text):
    document = Document(text, text)
    document.add_heading(text)
    document.add_text(f"{text}\n\n`{text}`")
    document.add_facts({text: text})
    document.add_table((text, "number"), [(text, 1.5)], caption=text, fold=text)
    document.add_findings([Finding("warning", check=text, where=text, found=text, advice=text)])
    document.add_picture(lambda palette: Picture(1, 1, palette), text)
    return document


def test_text_stays_text_in_every_block():
    page = everything(EVIL).to_html()
    assert "<script" not in page
    parser = parsed(everything(EVIL))
    assert "script" not in parser.tags
    assert parser.text.count(EVIL) >= 13


def test_the_file_needs_nothing_beside_it():
    page = everything("plain").to_html()
    assert re.findall(r'(?:src|href|srcset)="(?!data:)', page) == []
    assert "url(" not in page
    assert "Content-Security-Policy" in page


def test_a_picture_loses_nothing():
    document = Document("pictures")
    document.add_picture(lambda palette: Picture(1, 1, palette), "A square.")
    (light,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', document.to_html())
    found = Image.open(io.BytesIO(base64.b64decode(light))).convert("RGB")
    expected = Image.open(io.BytesIO(Picture(1, 1, LIGHT).to_bytes("png", SHARP_DPI))).convert("RGB")
    assert found.size == expected.size
    assert found.tobytes() == expected.tobytes()


def test_what_was_set_before_is_not_set_again():
    document = Document("prose")
    document.add_text(set_prose("a **b** `c`"))
    document.add_picture(lambda palette: Picture(1, 1, palette), set_prose("**bold** <"))
    page = document.to_html()
    assert "<p>a <strong>b</strong> <code>c</code></p>" in page
    assert "<figcaption><strong>bold</strong> &lt;</figcaption>" in page
    assert 'alt="bold &lt;"' in page


def test_contents_lead_to_the_sections():
    document = Document("contents")
    document.add_contents()
    document.add_heading("One & only")
    document.add_heading("below", level=3)
    page = document.to_html()
    (link,) = re.findall(r'<a href="#([^"]+)">One &amp; only</a>', page)
    assert f'<h2 id="{link}">One &amp; only</h2>' in page
    assert page.count("<a ") == 1


def test_a_picture_is_drawn_for_light_and_for_dark():
    palettes = []

    def draw(palette):
        palettes.append(palette)
        return Picture(1, 1, palette)

    document = Document("pictures")
    document.add_picture(draw, "A square.")
    assert palettes == [LIGHT, DARK]
    links = re.findall(r'"(data:image/webp;base64,[^"]+)"', document.to_html())
    assert len(set(links)) == 2


def test_backticks_make_code_and_empty_lines_paragraphs():
    document = Document("text")
    document.add_text("Call `doctor`.\n\nThen read.")
    page = document.to_html()
    assert "<p>Call <code>doctor</code>.</p>" in page
    assert "<p>Then read.</p>" in page


def test_numbers_in_tables_stand_at_the_right():
    document = Document("table")
    document.add_table(("name", "value"), [("a", 3), ("b", "4")])
    page = document.to_html()
    assert '<td class="number">3</td>' in page
    assert "<td>4</td>" in page


def test_no_findings_are_said_to_be_none():
    document = Document("clean")
    document.add_findings([])
    assert "Nothing was found." in document.to_html()
