"""Notes: Markdown that people write and others read. Nothing in them ever runs or is fetched."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from nh3 import Cleaner

SHOWN_LENGTH = 20_000  # of notes on a page that shows other things too
HEADING_SHIFT = 2  # a page has its own first and second headings
TASKS = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}

# An image would be fetched from wherever the notes say: its text stays, as a link.
PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
PARSER.disable("image")
CLEANER = Cleaner(
    tags={
        *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"),
        *("ul", "ol", "li", "pre", "code", "em", "strong", "s", "a"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    },
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
)


def render_notes(text: str) -> SafeString:
    """Markdown as HTML with nothing in it but words, lists, tables and links."""
    tokens = PARSER.parse(text)
    for place, token in enumerate(tokens):
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + HEADING_SHIFT)}"
        if token.type == "inline" and tokens[place - 2].type == "list_item_open":
            _show_task(token)
    html = PARSER.renderer.render(tokens, PARSER.options, {})
    return mark_safe(CLEANER.clean(html))  # noqa: S308 -- cleaned by an allow-list in this line


def _show_task(item: Token) -> None:
    """`- [ ] to do`, `- [x] done`: as signs, because a page without scripts has nothing to tick."""
    first = (item.children or [item])[0]
    sign = TASKS.get(first.content[:4])
    if sign and first.type == "text":
        first.content = f"{sign} {first.content[4:]}"


def cut_notes(text: str) -> str:
    """The beginning, whole lines of it, of notes too long to stand beside other things."""
    if len(text) <= SHOWN_LENGTH:
        return text
    return text[:SHOWN_LENGTH].rpartition("\n")[0] or text[:SHOWN_LENGTH]
