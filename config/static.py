"""Static files under hashed names, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleAwareStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import` paths between ES modules too; Django leaves that off by default."""

    support_js_module_import_aggregation = True
