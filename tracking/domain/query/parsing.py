"""From a query text to its tree, with errors that say what was expected where."""

import re
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedToken
from lark.visitors import v_args

from tracking.domain.fields import Field, find_field, quote, unquote
from tracking.domain.query.errors import QueryError
from tracking.domain.query.tree import (
    All,
    AnyOf,
    Comparison,
    Mention,
    Missing,
    Node,
    Not,
    Query,
    Word,
)
from tracking.domain.query.words import Words, check_text
from tracking.errors import InvalidInput

EQUALS = "="
QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*")|('.*)""", re.DOTALL)  # as a whole


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Makes the tree while the parser reads."""

    def any_of(self, *items: Any) -> Node:
        return AnyOf(_nodes(items))

    def all_of(self, *items: Any) -> Node:
        return All(_nodes(items))

    def negation(self, _not: Token, item: Node) -> Node:
        return item.item if isinstance(item, Not) else Not(item)

    def group(self, _open: Token, item: Node, _close: Token) -> Node:
        return item

    def mention(self, token: Token) -> Node:
        word = _word(token)
        if word.text == "archived" and not word.is_quoted:
            return Comparison(_field(token), EQUALS, word, (Word("true", word.start, word.end),))
        return Mention(word.text)

    def comparison(self, token: Token, operator: Token, value: Token) -> Node:
        return _comparison(token, operator, [value])

    def membership(self, token: Token, operator: Token, *rest: Token) -> Node:
        return _comparison(token, operator, [t for t in rest if t.type in {"WORD", "NULL"}])

    def non_membership(self, token: Token, operator: Token, *rest: Token) -> Node:
        return Not(self.membership(token, operator, *rest))

    def missing(self, token: Token, *_rest: Token) -> Node:
        return Missing(_field(token))

    def present(self, token: Token, *_rest: Token) -> Node:
        return Not(Missing(_field(token)))


def _nodes(items: tuple[Any, ...]) -> tuple[Node, ...]:
    return tuple(item for item in items if not isinstance(item, Token))


def _comparison(token: Token, operator: Token, values: list[Token]) -> Node:
    field, sign = _field(token), _word(operator)
    if values[0].type == "NULL" and sign.text in {"=", "!="}:
        return Missing(field) if sign.text == EQUALS else Not(Missing(field))
    for value in values:
        if value.type == "NULL":
            raise QueryError("Nothing compares with null: write 'is null'.", *_span(value))
    # `!=` and `!~` are `not` with `=` and `~`; `in` is `=` with any of several.
    positive = sign.text.removeprefix("!") if operator.type == "OPERATOR" else EQUALS
    found = Comparison(field, positive, sign, tuple(_word(value) for value in values))
    return Not(found) if sign.text.startswith("!") else found


def _word(token: Token) -> Word:
    """Raises: QueryError."""
    text, (start, end) = str(token), _span(token)
    if QUOTED.fullmatch(text):
        return Word(unquote(text[1:-1]), start, end, is_quoted=True)
    if '"' in text:
        raise QueryError("Put a space beside the quotes, or all of it into them.", start, end)
    return Word(text, start, end)


def _field(token: Token) -> Field:
    """Raises: QueryError."""
    name = quote(unquote(token[1:-1])) if token.startswith("'") else str(token)
    try:
        return find_field(name)
    except InvalidInput as error:
        raise QueryError(str(error), *_span(token)) from None


def _span(token: Token) -> tuple[int, int]:
    return token.start_pos or 0, token.end_pos or 0


PARSER = Lark(
    (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer=Words,
    transformer=_Builder(),
)


def parse_query(text: str) -> Query:
    """Raises: QueryError."""
    check_text(text)
    if not text or text.isspace():
        return Query(None, names_archived=False)
    try:
        root: Any = PARSER.parse(text)
    except UnexpectedToken as error:
        raise _explain(text, error.token) from None
    return Query(root, names_archived=_names_archived(root))


def _names_archived(node: Any) -> bool:
    if isinstance(node, All | AnyOf):
        return any(_names_archived(item) for item in node.items)
    if isinstance(node, Not):
        return _names_archived(node.item)
    return not isinstance(node, Mention) and node.field.name == "archived"


AFTER = {
    "OPERATOR": "a value",
    "AND": "a condition",
    "OR": "a condition",
    "NOT": "a condition",
    "OPEN": "a condition or a value",
    "COMMA": "a value",
    "IN": "'(' and values",
    "IS": "'null' or 'not null'",
}


def _explain(text: str, wrong: Token) -> QueryError:
    """What is missing belongs to the word before it; what is too much is pointed at itself."""
    tokens = list(Words(None).lex(text))
    before = next(
        (t for t in reversed(tokens) if wrong.type == "$END" or _ends_before(t, wrong)), None
    )
    if before is not None and (expected := AFTER.get(before.type)):
        hint = f'; to look for the word, write "{before}"' if before.type in {"IN", "IS"} else ""
        return QueryError(f"Expected {expected} after '{before}'{hint}.", *_span(before))
    span = _span(wrong)
    if wrong.type in {"OPERATOR", "IN", "NOT_IN", "IS"}:
        return QueryError(f"Expected a field before '{wrong}'.", *span)
    if wrong.type in {"AND", "OR"}:
        return QueryError(f"Expected a condition before '{wrong}'.", *span)
    if wrong.type == "$END":
        return QueryError("The query ends too early.", *_span(tokens[-1]))
    return QueryError(f"'{wrong}' cannot stand here. A text goes into quotes.", *span)


def _ends_before(token: Token, wrong: Token) -> bool:
    return _span(token)[1] <= _span(wrong)[0]
