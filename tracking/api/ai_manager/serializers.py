"""The words of the AI Manager API: users, projects, runs and files. Answers have the printed keys."""

import json
from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from tracking.api.ai_manager import examples
from tracking.api.fields import EPOCH, MapField, TagsField, TextField, TimeField
from tracking.api.paging import MAX_LIMIT, Row
from tracking.dialects import MANAGER_STATUS, naive_iso
from tracking.domain.names import make_key
from tracking.domain.run_changes import RunChanges
from tracking.domain.runs import RunStart
from tracking.domain.values import INT64, check_artifact_name, clean_name
from tracking.enums import ArtifactCategory, RunStatus, Source
from tracking.errors import InvalidInput
from tracking.models import Artifact, Project, Run, User

STATUSES = {word: status for status, word in MANAGER_STATUS.items()}
MAX_SKIP = INT64.stop - 1 - MAX_LIMIT
OPTIONAL: Any = {"required": False, "allow_null": True}  # null is as good as nothing


class NameField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return clean_name(data, str(self.field_name))


@extend_schema_field(serializers.ChoiceField([*STATUSES]))
class StatusField(serializers.Field[Any, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> RunStatus:
        if not isinstance(data, str) or data not in STATUSES:
            raise InvalidInput(f"status: must be one of {', '.join(STATUSES)}.", field="status")
        return RunStatus(STATUSES[data])

    def to_representation(self, value: Any) -> str:
        return MANAGER_STATUS[value]


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[Any, Any, Any, Any]):
    """UTC, without saying so."""

    def to_representation(self, value: datetime) -> str:
        return naive_iso(value)


class SliceQuery(serializers.Serializer[Any]):
    """Which piece of a list is wanted."""

    skip = serializers.IntegerField(
        default=0, min_value=0, max_value=MAX_SKIP, help_text="how many to leave out"
    )
    limit = serializers.IntegerField(
        default=100, min_value=0, max_value=MAX_LIMIT, help_text="how many at most"
    )

    def cut(self, rows: Any) -> "list[Row]":
        skip = self.validated_data["skip"]
        return list(rows[skip : skip + self.validated_data["limit"]])


class RunsQuery(SliceQuery):
    project_id = serializers.IntegerField(
        required=False, min_value=0, max_value=INT64.stop - 1, help_text="of this project only"
    )


class NewRunQuery(serializers.Serializer[Any]):
    project_id = serializers.IntegerField(min_value=0, max_value=INT64.stop - 1)


@extend_schema_serializer(examples=[examples.REGISTER])
class RegisterSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    username = TextField()
    password = TextField(trim_whitespace=False)


@extend_schema_serializer(examples=[examples.LOGIN])
class LoginSerializer(serializers.Serializer[Any]):
    username = TextField()
    password = TextField(trim_whitespace=False)


@extend_schema_serializer(examples=[examples.TOKEN])
class TokenSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    token_type = serializers.CharField()


@extend_schema_serializer(examples=[examples.USER])
class UserSerializer(serializers.Serializer[User]):
    id = serializers.IntegerField()
    email = serializers.CharField()
    username = serializers.CharField()
    is_active = serializers.BooleanField()
    is_superuser = serializers.BooleanField()
    created_at = MomentField(source="date_joined")
    updated_at = MomentField(source="date_joined")  # no later time is kept


@extend_schema_serializer(examples=[examples.NEW_PROJECT])
class NewProjectSerializer(serializers.Serializer[Any]):
    name = NameField()
    description = TextField(**OPTIONAL, allow_blank=True)
    is_public = serializers.BooleanField(**OPTIONAL)
    tags = TagsField(**OPTIONAL)

    def given(self) -> dict[str, Any]:
        return {key: value for key, value in self.validated_data.items() if value is not None}


@extend_schema_serializer(examples=[examples.PROJECT_CHANGES])
class ProjectChangesSerializer(NewProjectSerializer):
    name = NameField(**OPTIONAL)


@extend_schema_serializer(examples=[examples.PROJECT])
class ProjectSerializer(serializers.Serializer[Project]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    owner_id = serializers.IntegerField(allow_null=True)
    is_public = serializers.BooleanField()
    created_at = MomentField()
    updated_at = MomentField()


@extend_schema_serializer(examples=[examples.NEW_RUN])
class NewRunSerializer(serializers.Serializer[Any]):
    name = NameField()
    config = MapField(**OPTIONAL)
    tags = TagsField(**OPTIONAL)
    notes = TextField(**OPTIONAL, allow_blank=True)

    def run_start(self) -> RunStart:
        asked = self.validated_data
        return RunStart(
            key=make_key(asked["name"], "run"),
            name=asked["name"],
            source=Source.AI_MANAGER,
            config=asked.get("config") or {},
            tags=asked.get("tags"),
            notes=asked.get("notes"),
            rename_if_taken=True,
        )


@extend_schema_serializer(examples=[examples.RUN_CHANGES])
class RunChangesSerializer(serializers.Serializer[Any]):
    name = NameField(**OPTIONAL)
    status = StatusField(**OPTIONAL)
    config = MapField(**OPTIONAL, help_text="merged into the config there is")
    tags = TagsField(**OPTIONAL)
    notes = TextField(**OPTIONAL, allow_blank=True)
    ended_at = TimeField(**OPTIONAL, help_text="default: now, once the status is final")

    def changes(self) -> RunChanges:
        asked = dict(self.validated_data)
        if (time_us := asked.get("ended_at")) is not None:
            asked["ended_at"] = EPOCH + timedelta(microseconds=time_us)
        return RunChanges(**asked)


@extend_schema_serializer(examples=[examples.LISTED_RUN])
class ListedRunSerializer(serializers.Serializer[Run]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    status = StatusField()
    started_at = MomentField()
    ended_at = MomentField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())


@extend_schema_serializer(examples=[examples.RUN], component_name="ManagerRun")
class RunSerializer(serializers.Serializer[Run]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    project_id = serializers.IntegerField()
    status = StatusField()
    config = serializers.DictField()
    tags = serializers.ListField(child=serializers.CharField())
    started_at = MomentField()
    ended_at = MomentField(allow_null=True)
    created_at = MomentField()
    updated_at = MomentField()


class MetadataField(serializers.CharField):
    """A JSON object as text: in a form there is nothing else."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return json.loads(str(data) or "{}")
        except (ValueError, RecursionError):
            raise InvalidInput("metadata must be JSON.", field="metadata") from None


@extend_schema_serializer(component_name="ManagerUpload")
class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)
    name = serializers.CharField(required=False, allow_blank=True, help_text="default: the file's")
    type = serializers.CharField(
        required=False, allow_blank=True, help_text=", ".join(ArtifactCategory.values)
    )
    metadata = MetadataField(required=False, allow_blank=True, help_text="a JSON object")

    def artifact(self) -> dict[str, Any]:
        asked = self.validated_data
        return {
            "content": asked["file"],
            "name": check_artifact_name(asked.get("name") or asked["file"].name),
            "category": asked.get("type") or ArtifactCategory.OTHER,
            "metadata": asked.get("metadata") or {},
        }


@extend_schema_serializer(examples=[examples.ARTIFACT], component_name="ManagerArtifact")
class ArtifactSerializer(serializers.Serializer[Artifact]):
    id = serializers.IntegerField()
    run_id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField(source="category")
    path = serializers.CharField(source="__str__")
    size = serializers.IntegerField(source="size_bytes")
    metadata = serializers.DictField()
    created_at = MomentField()


@extend_schema_serializer(examples=[examples.DELETED], component_name="ManagerMessage")
class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
