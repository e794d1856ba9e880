"""Fields that several APIs take in. What a value may be is a rule of the domain."""

from typing import Any

from rest_framework import serializers

from tracking.domain.values import clean_tags, clean_text


class TextField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return clean_text(data, str(self.field_name))


class TagsField(serializers.ListField):
    child = serializers.CharField()

    def to_internal_value(self, data: Any) -> list[str]:
        return clean_tags(data, str(self.field_name))
