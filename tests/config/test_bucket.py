from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.bucket import ON_DISK, find_storage


def find(**said: Any) -> dict[str, Any]:
    texts = dict.fromkeys(["bucket", "endpoint", "region", "prefix", "ca_file"], "")
    return find_storage(**{"keys": ("", ""), "is_direct": False} | texts | said)


def test_files_lie_on_disk_without_a_bucket():
    assert find() == ON_DISK


def test_bucket_with_all_that_can_be_said():
    found = find(
        bucket="b",
        endpoint="https://store:9000/",
        region="eu-central-1",
        keys=("key", "secret"),
        prefix="/runs/",
        ca_file="/etc/ca.pem",
        is_direct=True,
    )

    assert found == {
        "BACKEND": "tracking.bucket.BucketStorage",
        "OPTIONS": {
            "bucket_name": "b",
            "endpoint_url": "https://store:9000",
            "region_name": "eu-central-1",
            "access_key": "key",
            "secret_key": "secret",
            "location": "runs",
            "verify": "/etc/ca.pem",
            "is_direct": True,
        },
    }


def test_bucket_alone_leaves_keys_and_region_to_the_usual_places():
    options = find(bucket="b")["OPTIONS"]

    assert (options["access_key"], options["secret_key"]) == (None, None)
    assert (options["endpoint_url"], options["region_name"]) == (None, None)


def test_store_of_ones_own_needs_no_region():
    assert find(bucket="b", endpoint="http://minio:9000")["OPTIONS"]["region_name"] == "us-east-1"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"endpoint": "http://store"}, "RUNYARD_S3_BUCKET must name"),
        ({"keys": ("a", "hush")}, "RUNYARD_S3_BUCKET must name"),
        ({"bucket": "b", "keys": ("a", "")}, "come together"),
        ({"bucket": "b", "keys": ("", "hush")}, "come together"),
        ({"bucket": "b", "endpoint": "store:9000"}, "RUNYARD_S3_ENDPOINT must look like"),
        ({"bucket": "b", "endpoint": "http://a:hush@store"}, "RUNYARD_S3_ENDPOINT must look like"),
        ({"bucket": "b", "endpoint": "http://store/b"}, "RUNYARD_S3_ENDPOINT must look like"),
    ],
)
def test_what_does_not_go_together_is_refused_without_showing_it(said, text):
    with pytest.raises(ImproperlyConfigured, match=text) as refusal:
        find(**said)

    assert "hush" not in str(refusal.value)
