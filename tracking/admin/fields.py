"""Form fields for what the domain has rules for."""

from collections.abc import Callable
from typing import Any

from django import forms

from tracking.domain.values import check_project_key, clean_tags, clean_text
from tracking.errors import InvalidInput


def by_rule(check: Callable[[Any], Any], value: Any) -> Any:
    """The domain's answer, or its objection as one of the form's. Raises: ValidationError."""
    try:
        return check(value)
    except InvalidInput as error:
        raise forms.ValidationError(str(error)) from error


class TagsField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 40})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, help_text="One a line.", **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        lines = [line for line in text.splitlines() if line.strip()]
        return by_rule(clean_tags, lines)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial or []), data)


class ProjectKeyField(forms.CharField):
    """What URLs use; it stays for ever."""

    def clean(self, value: Any) -> str:
        return str(by_rule(check_project_key, super().clean(value)))


class LongTextField(forms.CharField):
    """Text within the domain's limit."""

    widget = forms.Textarea(attrs={"rows": 6, "cols": 80})

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def to_python(self, value: Any) -> Any:
        return by_rule(lambda text: clean_text(text, "This"), super().to_python(value))
