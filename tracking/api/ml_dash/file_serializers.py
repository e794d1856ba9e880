"""Files on ML-Dash's wire: the forms they come in, and what is said of them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from tracking.api.fields import MapField, TagsField, TextField
from tracking.api.ml_dash.ids import experiment_id, project_id
from tracking.api.paging import MAX_LIMIT
from tracking.dialects import zulu_iso
from tracking.domain.artifacts import check_file_id
from tracking.domain.file_search import files_under, files_with_tags
from tracking.domain.values import INT64
from tracking.errors import InvalidInput
from tracking.models import Artifact, Run

OPTIONAL: Any = {"required": False, "allow_blank": True}
SAID = ("description", "tags", "bindrs", "metadata")
MAX_OFFSET = INT64.stop - 1 - MAX_LIMIT


@extend_schema_field(serializers.CharField)
class ListTextField(serializers.CharField):
    """A list in a form: with commas between, or as JSON where there are commas inside."""

    def to_internal_value(self, data: Any) -> Any:
        text = str(data)
        if text.lstrip().startswith("["):
            with suppress(InvalidInput):  # a tag may begin with a bracket, too
                return _read_json(text, str(self.field_name))
        return [part for piece in text.split(",") if (part := piece.strip())]


@extend_schema_field(serializers.CharField)
class MapTextField(serializers.CharField):
    """A JSON object in a form; null is as good as none."""

    def to_internal_value(self, data: Any) -> Any:
        return _read_json(str(data), str(self.field_name)) or {}


def _read_json(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{field} must be JSON.", field=field) from None


@extend_schema_serializer(component_name="DashUpload")
class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)
    id = serializers.CharField(**OPTIONAL, help_text="the client's own number for the file")
    prefix = TextField(
        **OPTIONAL, trim_whitespace=False, help_text="its folder in the experiment: `/models`"
    )
    name = TextField(**OPTIONAL, trim_whitespace=False, help_text="default: the file's")
    description = TextField(**OPTIONAL)
    tags = ListTextField(**OPTIONAL, help_text="with commas between, or a JSON list")
    bindrs = ListTextField(**OPTIONAL, help_text="as tags")
    metadata = MapTextField(**OPTIONAL, help_text="a JSON object")
    checksum = serializers.CharField(**OPTIONAL, help_text="the SHA-256 that the bytes must have")

    def artifact(self) -> dict[str, Any]:
        asked = self.validated_data
        return {
            "content": asked["file"],
            "name": asked.get("name") or asked["file"].name,
            "path": asked.get("prefix") or "",
            "uid": check_file_id(asked["id"]) if asked.get("id") else None,
            "checksum": asked.get("checksum") or "",
            **{word: asked[word] for word in SAID if asked.get(word)},
        }


class FileNodeFormSerializer(UploadSerializer):
    """As the later releases send it: the folder is a node."""

    type = serializers.ChoiceField(choices=["FILE"])
    projectId = serializers.CharField(**OPTIONAL)  # noqa: N815 -- the wire's name
    experimentId = serializers.CharField(**OPTIONAL)  # noqa: N815 -- as above
    parentId = serializers.CharField(**OPTIONAL, help_text="`ROOT`, an experiment or a folder")  # noqa: N815 -- as above


class FileChangesSerializer(serializers.Serializer[Any]):
    """What is null or left out stays as it is."""

    description = TextField(required=False, allow_null=True, allow_blank=True)
    tags = TagsField(required=False, allow_null=True)
    bindrs = TagsField(required=False, allow_null=True)
    metadata = MapField(required=False, allow_null=True)


class FilesQuery(serializers.Serializer[Any]):
    prefix = TextField(**OPTIONAL, trim_whitespace=False, help_text="how the folder begins")
    tags = ListTextField(**OPTIONAL, help_text="any of these, with commas between")
    limit = serializers.IntegerField(default=MAX_LIMIT, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)

    def answer(self, run: Run, shape: "type[FileSerializer]") -> dict[str, Any]:
        """The files that were asked for, those that came first before the others. Two queries."""
        asked = self.validated_data
        files = files_under(run.artifacts.filter(deleted_at=None), asked.get("prefix") or "")
        files = files_with_tags(files, asked.get("tags") or []).order_by("pk")
        offset, total = asked["offset"], files.count()
        page = list(files[offset : offset + asked["limit"]])
        row = shape()
        return {
            "files": [row.to_representation(file) for file in page],
            "totalCount": total,
            "hasMore": offset + len(page) < total and bool(page),
        }


class SearchQuery(serializers.Serializer[Any]):
    pattern = TextField(trim_whitespace=False, help_text="`*.pt`, `models/*`, `**/best.pt`")
    experimentId = serializers.CharField(**OPTIONAL, help_text="of this one only")  # noqa: N815 -- the wire's name
    limit = serializers.IntegerField(default=10, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


class FileSerializer(serializers.Serializer[Artifact]):
    """The fourteen keys of a file."""

    id = serializers.CharField(source="uid")
    experimentId = serializers.SerializerMethodField()  # noqa: N815 -- the wire's name
    path = serializers.SerializerMethodField()
    filename = serializers.CharField(source="name")
    description = serializers.SerializerMethodField()
    tags = serializers.ListField(child=serializers.CharField())
    bindrs = serializers.ListField(child=serializers.CharField())
    contentType = serializers.CharField(source="content_type")  # noqa: N815 -- as above
    sizeBytes = serializers.IntegerField(source="size_bytes")  # noqa: N815 -- as above
    checksum = serializers.CharField(source="sha256")
    metadata = serializers.SerializerMethodField()
    uploadedAt = serializers.SerializerMethodField()  # noqa: N815 -- as above
    updatedAt = serializers.SerializerMethodField()  # noqa: N815 -- as above
    deletedAt = serializers.SerializerMethodField()  # noqa: N815 -- as above

    def get_experimentId(self, file: Artifact) -> str:  # noqa: N802 -- as above
        return experiment_id(file.run)

    def get_path(self, file: Artifact) -> str:
        return f"/{file.path}"

    def get_description(self, file: Artifact) -> str | None:
        return file.description or None

    def get_metadata(self, file: Artifact) -> dict[str, Any] | None:
        return file.metadata or None

    def get_uploadedAt(self, file: Artifact) -> str:  # noqa: N802 -- as above
        return zulu_iso(file.created_at)

    def get_updatedAt(self, file: Artifact) -> str:  # noqa: N802 -- as above
        return zulu_iso(file.updated_at)

    def get_deletedAt(self, file: Artifact) -> str | None:  # noqa: N802 -- as above
        return zulu_iso(file.deleted_at) if file.deleted_at else None


class FileNodeSerializer(FileSerializer):
    """A file as a node of its experiment, with what the clients of nodes look for."""

    type = serializers.SerializerMethodField()
    name = serializers.CharField()
    projectId = serializers.SerializerMethodField()  # noqa: N815 -- the wire's name
    createdAt = serializers.SerializerMethodField(method_name="get_uploadedAt")  # noqa: N815 -- as above
    pPath = serializers.SerializerMethodField(method_name="get_path")  # noqa: N815 -- as above
    physicalFile = serializers.SerializerMethodField()  # noqa: N815 -- as above

    def get_type(self, _file: Artifact) -> str:
        return "FILE"

    def get_projectId(self, file: Artifact) -> str:  # noqa: N802 -- as above
        return project_id(file.run.project)

    def get_physicalFile(self, file: Artifact) -> dict[str, Any]:  # noqa: N802 -- as above
        return {
            "id": str(file.uid),
            "filename": file.name,
            "contentType": file.content_type,
            "sizeBytes": file.size_bytes,
            "checksum": file.sha256,
            "s3Url": None,
        }


class FoundFileSerializer(FileSerializer):
    """A file that was searched for: its path is the whole one."""

    name = serializers.CharField()

    def get_path(self, file: Artifact) -> str:
        return f"/{file}"


class FilesSerializer(serializers.Serializer[Any]):
    files = FileSerializer(many=True)
    totalCount = serializers.IntegerField()  # noqa: N815 -- the wire's name
    hasMore = serializers.BooleanField()  # noqa: N815 -- as above


class FoundFilesSerializer(serializers.Serializer[Any]):
    files = FoundFileSerializer(many=True)


class CreatedFileSerializer(serializers.Serializer[Any]):
    node = FileNodeSerializer()
    physicalFile = serializers.DictField()  # noqa: N815 -- the wire's name


class DeletedFileSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    deletedAt = serializers.CharField()  # noqa: N815 -- the wire's name


def list_files(run: Run, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`filesPaginated` of GraphQL: `asked` are its arguments, of any sort. Raises: ValidationError."""
    query = FilesQuery(data={key: value for key, value in asked.items() if value is not None})
    query.is_valid(raise_exception=True)
    return query.answer(run, FileNodeSerializer)
