"""Static files under hashed names, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleAwareStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import` paths between our own ES modules too; Django leaves that off by default."""

    support_js_module_import_aggregation = True
    # Not in packages' files: some speak of imports in comments, and those are taken for real ones.
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],  # noqa: SLF001 -- Django has no public way
    )
