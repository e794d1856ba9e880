"""The words of the tracker API. What a value may be is a rule of the domain, asked for by field."""

import time
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from tracking.api.fields import MapField, RowField, StepField, TagsField, TextField, TimeField
from tracking.domain.records import clean_exit_code
from tracking.domain.runs import RunStart
from tracking.domain.values import check_artifact_name, check_run_key
from tracking.enums import ArtifactCategory, RunStatus


class RunNameField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return check_run_key(data)


class ExitCodeField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        return clean_exit_code(data)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A run",
            {
                "name": "experiment_001",
                "tags": ["baseline", "v1"],
                "notes": "Initial experiment",
                "config": {"learning_rate": 0.001, "batch_size": 32},
                "project_tags": ["production"],
            },
            request_only=True,
        )
    ]
)
class CreateRunSerializer(serializers.Serializer[Any]):
    name = RunNameField()
    tags = TagsField(required=False, allow_null=True)
    notes = TextField(required=False, allow_null=True, allow_blank=True)
    config = MapField(required=False, allow_null=True)
    project_tags = TagsField(required=False, allow_null=True, help_text="added to the project's")
    resume = serializers.BooleanField(default=False, help_text="go on with the run of that name")

    def run_start(self) -> RunStart:
        """Clients send empty tags and notes for "not given": resuming keeps those there are."""
        asked = self.validated_data
        return RunStart(
            key=asked["name"],
            config=asked.get("config") or {},
            tags=asked.get("tags") or None,
            notes=asked.get("notes") or None,
            resume=asked["resume"],
        )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A step",
            {
                "type": "metrics",
                "timestamp": "2026-01-01T12:00:00",
                "run": "experiment_001",
                "project": "my_project",
                "step": 100,
                "metrics": {"loss": 0.5, "accuracy": 0.85},
            },
            request_only=True,
        )
    ]
)
class MetricsSerializer(serializers.Serializer[Any]):
    metrics = RowField(help_text='name → number; NaN, Infinity and "NaN" are numbers too')
    step = StepField(required=False, allow_null=True, help_text="default: the run's next step")
    timestamp = TimeField(required=False, allow_null=True, help_text="naive is UTC; default: now")

    def row(self) -> dict[str, Any]:
        asked = self.validated_data
        time_us = asked.get("timestamp")
        return {
            "values": asked["metrics"],
            "step": asked.get("step"),
            "time_us": time.time_ns() // 1_000 if time_us is None else time_us,
        }


@extend_schema_serializer(
    examples=[OpenApiExample("A value", {"config": {"optimizer": "adam"}}, request_only=True)]
)
class ConfigSerializer(serializers.Serializer[Any]):
    config = MapField()


@extend_schema_serializer(
    examples=[OpenApiExample("A value", {"summary": {"best_accuracy": 0.93}}, request_only=True)]
)
class SummarySerializer(serializers.Serializer[Any]):
    summary = MapField()


@extend_schema_serializer(
    examples=[OpenApiExample("Two tags", {"tags": ["baseline", "v2"]}, request_only=True)]
)
class TagsSerializer(serializers.Serializer[Any]):
    tags = TagsField()


@extend_schema_serializer(
    examples=[OpenApiExample("All went well", {"exit_code": 0}, request_only=True)]
)
class FinishSerializer(serializers.Serializer[Any]):
    exit_code = ExitCodeField(default=0, help_text="0: completed; else: failed")

    def ending(self) -> dict[str, Any]:
        exit_code = self.validated_data["exit_code"]
        status = RunStatus.FAILED if exit_code else RunStatus.COMPLETED
        return {"exit_code": exit_code, "status": status}


class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)
    name = serializers.CharField(required=False, allow_blank=True, help_text="default: the file's")
    description = TextField(required=False, allow_blank=True)
    category = serializers.CharField(
        required=False, allow_blank=True, help_text=", ".join(ArtifactCategory.values)
    )

    def artifact(self) -> dict[str, Any]:
        asked = self.validated_data
        return {
            "content": asked["file"],
            "name": check_artifact_name(asked.get("name") or asked["file"].name),
            "description": asked.get("description", ""),
            "category": asked.get("category", ""),
        }


@extend_schema_serializer(examples=[OpenApiExample("Done", {"status": "ok"}, response_only=True)])
class StatusSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Created",
            {"project": "my_project", "name": "experiment_001", "run_id": "experiment_001"},
            response_only=True,
        )
    ]
)
class CreatedRunSerializer(serializers.Serializer[Any]):
    project = serializers.CharField(source="project.key")
    name = serializers.CharField()
    run_id = serializers.CharField(source="key")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Stored", {"artifact_name": "trained_model.pt", "file_size": 12345}, response_only=True
        )
    ]
)
class StoredArtifactSerializer(serializers.Serializer[Any]):
    artifact_name = serializers.CharField(source="name")
    file_size = serializers.IntegerField(source="size_bytes")
