"""Who logs, looks and curates."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils import timezone
from knox.models import AbstractAuthToken
from knox.settings import CONSTANTS as TOKEN_LENGTHS

from tracking.enums import Role
from tracking.models.lengths import NAME_LENGTH


class User(AbstractUser):
    """A person, or a service account that trains and does not sign in."""

    is_service = models.BooleanField(default=False)
    token: "ApiToken | None" = None  # that this request came with: it narrows what the user may

    def check_password(self, raw_password: str | None) -> bool:
        """Whatever password a service account may have been given opens nothing."""
        return not self.is_service and super().check_password(raw_password)

    def get_session_auth_hash(self) -> str:
        """Sessions and JWTs of a person end when the account is made one for programs."""
        return "service" * self.is_service + super().get_session_auth_hash()


class Membership(models.Model):
    project = models.ForeignKey(
        "tracking.Project", on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["project", "user"], name="membership_once"),
            CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class Invitation(models.Model):
    """A link that makes an account, and a member of the project; the link itself is not stored.

    One for an e-mail address ends with its use.
    """

    project = models.ForeignKey(
        "tracking.Project",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="invitations",
    )
    inviter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.role} for {self.email or 'whoever has the link'}"


class ApiToken(AbstractAuthToken):
    """What a program says instead of a password: a user's rights, or fewer, until it is revoked.

    Only the digest of the secret is stored; `token_key` is its beginning, to tell tokens apart.
    """

    id = models.BigAutoField(primary_key=True)  # addresses and the audit log name no digest
    digest = models.CharField(max_length=TOKEN_LENGTHS.DIGEST_LENGTH, unique=True, editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    can_write = models.BooleanField(default=False)
    # Goes with its project: a token for one must not become a token for all.
    project = models.ForeignKey(
        "tracking.Project", null=True, blank=True, on_delete=models.CASCADE, related_name="tokens"
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Knox's own manager makes what has no name; `create_token` makes ours.
    objects: ClassVar[models.Manager["ApiToken"]] = models.Manager()

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"

    @property
    def is_expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and not self.is_expired
