"""Make the bucket of RUNYARD_S3_BUCKET, unless it is there."""

import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from botocore.exceptions import ClientError  # noqa: E402 -- optional, as the bucket is
from django.core.files.storage import default_storage  # noqa: E402 -- needs the settings

try:
    default_storage.client.head_bucket(Bucket=default_storage.bucket_name)
except ClientError as error:
    if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
        raise
    default_storage.client.create_bucket(Bucket=default_storage.bucket_name)
print(f"Files go into the bucket {default_storage.bucket_name}.")  # noqa: T201 -- for its log
