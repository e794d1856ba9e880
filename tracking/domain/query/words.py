"""A query text cut into words: the lexer of the grammar."""

import re
from collections.abc import Iterator
from typing import Any

from lark import Token
from lark.lexer import Lexer

from tracking.domain.query.errors import QueryError

MAX_LENGTH = 2_000  # characters
MAX_DEPTH = 32  # brackets in brackets
MAX_TERMS = 50  # conditions, and values of `in`

OPERATORS = {"=", "!=", "<", "<=", ">", ">=", "~", "!~"}
MEANT = {
    "==": "=",
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "=!": "!=",
    "=~": "~",
    "~=": "~",
    "!": "not",
}
KEYWORDS = {"and": "AND", "or": "OR", "not": "NOT", "in": "IN", "is": "IS", "null": "NULL"}
SIGNS = {"&&": "and", "&": "and", "||": "or", "|": "or"}
BRACKETS = {"(": "OPEN", ")": "CLOSE", ",": "COMMA"}

TOKEN = re.compile(
    r"""
      (?P<space>    \s+ )
    | (?P<bracket>  [(),] )
    | (?P<operator> [=!<>~]+ )
    | (?P<single>   '(?:[^'\\]|\\.)*' )
    | (?P<unclosed> ' )
    | (?P<word>     (?: "(?:[^"\\]|\\.)*" | [^\s"=!<>~(),] )+ )
    | (?P<open>     " )
    """,
    re.VERBOSE | re.DOTALL,
)
NOT_IN = re.compile(r"not\s+in\s*\(", re.IGNORECASE)
WRONG_CHARACTER = re.compile("[\0\ud800-\udfff]")


class Words(Lexer):
    """Tokens in the order of the text. Raises: QueryError."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override]
        check_text(text)
        depth = _Depth()
        place = 0
        while place < len(text):
            token, place = _next_token(text, place)
            if token is not None:
                depth.follow(token)
                yield token
        depth.check_closed()


def check_text(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise QueryError(f"A query has at most {MAX_LENGTH:,} characters.", MAX_LENGTH, len(text))
    if wrong := WRONG_CHARACTER.search(text):
        raise QueryError("There is a character here that no text has.", *wrong.span())


def _next_token(text: str, place: int) -> tuple[Token | None, int]:
    match = TOKEN.match(text, place)
    if match is None:  # never: one alternative or another takes any character
        raise QueryError("This cannot stand here.", place, place + 1)
    start, end = match.span()
    kind = match.lastgroup
    if kind == "space":
        return None, end
    if kind in {"unclosed", "open"}:
        raise QueryError(f"There is no closing {match[0]} for this one.", start, end)
    if kind == "bracket":
        return _token(BRACKETS[match[0]], match[0], start), end
    if kind == "operator":
        return _operator(match[0], start), end
    if kind == "word" and (both := NOT_IN.match(text, start)) and match[0].lower() == "not":
        end = both.end() - 1
        return _token("NOT_IN", text[start:end], start), end
    return _word(match[0], start), end


def _operator(sign: str, start: int) -> Token:
    if sign not in OPERATORS:
        meant = MEANT.get(sign)
        hint = f"write '{meant}'" if meant else f"there are {' '.join(sorted(OPERATORS))}"
        raise QueryError(f"There is no operator '{sign}': {hint}.", start, start + len(sign))
    return _token("OPERATOR", sign, start)


def _word(word: str, start: int) -> Token:
    if word in SIGNS:
        raise QueryError(f"Write '{SIGNS[word]}' for '{word}'.", start, start + len(word))
    return _token(KEYWORDS.get(word.lower(), "WORD"), word, start)


def _token(kind: str, text: str, start: int) -> Token:
    return Token(kind, text, start_pos=start, end_pos=start + len(text))


# A comparison has two words and an operator, a text by itself one word.
TERMS = {"WORD": 1, "NULL": 1, "OPERATOR": -1, "IN": -1, "NOT_IN": -1, "IS": -1}


class _Depth:
    """Counts brackets and terms, so that no text asks for more than a database takes."""

    def __init__(self) -> None:
        self.open: list[Token] = []
        self.term_count = 0

    def follow(self, token: Token) -> None:
        start, end = token.start_pos or 0, token.end_pos or 0
        if token.type == "OPEN":
            self.open.append(token)
        elif token.type == "CLOSE":
            if not self.open:
                raise QueryError("There is no '(' for this ')'.", start, end)
            self.open.pop()
        if len(self.open) > MAX_DEPTH:
            raise QueryError(f"At most {MAX_DEPTH} brackets go into each other.", start, end)
        self.term_count += TERMS.get(token.type, 0)
        if self.term_count > MAX_TERMS:
            raise QueryError(f"A query has at most {MAX_TERMS} conditions.", start, end)

    def check_closed(self) -> None:
        if self.open:
            start, end = self.open[-1].start_pos or 0, self.open[-1].end_pos or 0
            raise QueryError("There is no ')' for this '('.", start, end)
