"""Notes in Markdown: what people may write, and what attacks become."""

import re
from html.parser import HTMLParser

import pytest

from dashboard.notes import cut_notes, render_notes

SAFE_TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre", "code"),
    *("em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
HEAD, ROW = "<tr>\n<th>a</th>\n</tr>", "<tr>\n<td>1</td>\n</tr>"
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<style>*{display:none}</style>",
    "<a href='javascript:alert(1)'>x</a>",
    "<!-- <script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](blob:http://a/b)",
    '[x](http://a "onmouseover=alert(1)")',
    '[x](http://a\'"onmouseover="alert(1))',
    "![x](http://evil.example/track.png)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x]: data:text/html,x\n\n[x][x]",
    "```<script>\nalert(1)\n```",
    '```html" onclick="alert(1)\n</code></pre><script>alert(1)</script>\n```',
    "`<script>alert(1)</script>`",
    "# <script>alert(1)</script>",
    "|<script>|\n|-|\n|<img src=x onerror=alert(1)>|",
    "~~<b onclick=alert(1)>~~",
    "<form action=//evil.example><input name=csrfmiddlewaretoken>",
    "<math><mi xlink:href='javascript:alert(1)'>",
    "<x style=position:fixed>",
    "\u202e<script>",
]


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("frame", ["{}", "> {}", "- {}", "a {} b"])
def test_attack_stays_words(attack: str, frame: str) -> None:
    seen = Seen(render_notes(frame.format(attack)))

    assert seen.tags - SAFE_TAGS == set()
    allowed = {("a", "href"), ("a", "rel"), ("a", "title"), ("ol", "start")}
    assert seen.attributes - allowed == set()
    assert [link for link in seen.links if not re.match(r"https?://|mailto:", link)] == []


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\nb", "<p>a\nb</p>"),
        ("# One\n## Two", "<h3>One</h3>\n<h4>Two</h4>"),
        ("###### Six", "<h6>Six</h6>"),
        ("- *a*\n- **b**", "<ul>\n<li><em>a</em></li>\n<li><strong>b</strong></li>\n</ul>"),
        (
            "- [ ] a\n- [x] b [ ] c",
            "<ul>\n<li>☐ a</li>\n<li>☑ b [ ] c</li>\n</ul>",
        ),
        ("[ ] a", "<p>[ ] a</p>"),
        ("- `[ ] a`", "<ul>\n<li><code>[ ] a</code></li>\n</ul>"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>'),
        ("~~old~~ `x < y`", "<p><s>old</s> <code>x &lt; y</code></p>"),
        (
            "|a|\n|:-:|\n|1|",
            f"<table>\n<thead>\n{HEAD}\n</thead>\n<tbody>\n{ROW}\n</tbody>\n</table>",
        ),
        (
            "[paper](https://a.example/b)",
            '<p><a href="https://a.example/b" rel="noopener noreferrer nofollow">paper</a></p>',
        ),
        ("https://a.example", "<p>https://a.example</p>"),
    ],
)
def test_notes_are_markdown(text: str, html: str) -> None:
    assert render_notes(text).strip() == html


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "*a " * 7_000, ">" * 20_000, "![a" * 7_000, "|a" * 9_000, "`" * 20_000]
)
def test_notes_made_to_take_long_are_rendered(text: str) -> None:
    assert Seen(render_notes(text)).tags - SAFE_TAGS == set()


def test_long_notes_are_cut_between_lines() -> None:
    line = "x" * 99 + "\n"

    assert cut_notes("short") == "short"
    assert cut_notes(line * 300) == (line * 200)[:-1]
    assert cut_notes("x" * 30_000) == "x" * 20_000
