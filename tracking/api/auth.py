"""How REST callers say who they are."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tracking.domain.access import local_user
from tracking.models import User


class OpenAccessAuthentication(BaseAuthentication):
    """Open mode: everybody is the built-in user `local`."""

    def authenticate(self, request: Request) -> tuple[User, None]:  # noqa: ARG002 -- the framework passes it
        return local_user(), None


class OpenAccessScheme(OpenApiAuthenticationExtension):
    """Tells drf-spectacular that no credentials are asked for."""

    target_class = OpenAccessAuthentication
    name: list[str] = []

    def get_security_requirement(self, auto_schema: object) -> dict[str, list[str]]:  # noqa: ARG002 -- the framework passes it
        return {}

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:  # noqa: ARG002 -- as above
        return []
