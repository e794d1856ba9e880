"""The OpenAPI file in the repository is the one the code would write."""

from pathlib import Path

from django.core.management import call_command

SCHEMA = Path(__file__).parent.parent / "docs" / "openapi.yaml"


def test_schema_file_is_current_and_without_warnings(tmp_path):
    written = tmp_path / "openapi.yaml"

    call_command("spectacular", file=str(written), validate=True, fail_on_warn=True)

    assert written.read_text() == SCHEMA.read_text(), "The schema has changed: run `make schema`."
