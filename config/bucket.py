"""Where files lie: in the data directory, or in a bucket that RUNYARD_S3_… names."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ON_DISK = {"BACKEND": "tracking.storage.DurableFileStorage"}
ANY_REGION = "us-east-1"  # stores other than Amazon's have no regions, and expect this one


def find_storage(
    *,
    bucket: str,
    endpoint: str,
    region: str,
    keys: tuple[str, str],
    prefix: str,
    ca_file: str,
    is_direct: bool,
) -> dict[str, Any]:
    """Django's setting for the storage of artifacts. Raises: ImproperlyConfigured."""
    if not bucket:
        if endpoint or prefix or any(keys):
            raise ImproperlyConfigured(
                "RUNYARD_S3_BUCKET must name the bucket to go with the rest."
            )
        return ON_DISK
    if any(keys) and not all(keys):
        raise ImproperlyConfigured(
            "RUNYARD_S3_ACCESS_KEY and RUNYARD_S3_SECRET_KEY come together, or neither does: then"
            " the usual places of AWS are looked into, the machine's role among them."
        )
    return {
        "BACKEND": "tracking.bucket.BucketStorage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": _check_endpoint(endpoint) or None,
            "region_name": region or (ANY_REGION if endpoint else None),
            "access_key": keys[0] or None,
            "secret_key": keys[1] or None,
            "location": prefix.strip("/"),
            "verify": ca_file or None,
            "is_direct": is_direct,
        },
    }


def _check_endpoint(url: str) -> str:
    """What is wrong is not shown: people put keys into addresses."""
    parts = urlsplit(url)
    is_plain = not parts.username and parts.path in {"", "/"} and not parts.query
    if url and not (parts.scheme in {"http", "https"} and parts.hostname and is_plain):
        raise ImproperlyConfigured(
            "RUNYARD_S3_ENDPOINT must look like https://host:9000. The bucket and the keys have"
            " variables of their own."
        )
    return url.rstrip("/")
