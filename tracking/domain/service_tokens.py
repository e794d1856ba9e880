"""The account by which the server's own watcher of files comes in, where everybody must say who they are.

It owns the projects it makes and sees no others. Its token lives as long as the server that made it.
"""

from django.db import transaction

from tracking.domain.accounts import one_at_a_time
from tracking.domain.tokens import create_token, current_tokens, revoke_token
from tracking.errors import NameTaken
from tracking.models import User

WATCHER = "watcher"
TOKEN_NAME = "serve --watch"  # noqa: S105 -- what lists call it


@transaction.atomic
def issue_watcher_token() -> str:
    """A new token; one that was left behind by a server that was killed ends. Raises: NameTaken."""
    one_at_a_time()
    user = User.objects.filter(username__iexact=WATCHER).first()
    if user is None:
        user = User(username=WATCHER, is_service=True)
        user.set_unusable_password()
        user.save()
    if not user.is_service:
        raise NameTaken(
            f"The account “{user.username}” belongs to a person. Rename it: --watch comes in by a"
            " service account of that name."
        )
    revoke_watcher_tokens()
    return create_token(user, name=TOKEN_NAME, can_write=True)[1]


def revoke_watcher_tokens() -> None:
    user = User.objects.filter(username=WATCHER, is_service=True).first()
    for token in current_tokens(user).filter(name=TOKEN_NAME) if user else ():
        revoke_token(token)
