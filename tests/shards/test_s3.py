"""The same in a bucket: moto's server stands for S3."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from rigs.papers import write_papers
from tests.limits import HANG_SECONDS
from tests.shards.material import Shards

SECRETS = {
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "*",
}  # fmt: skip


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert server.stderr is not None
    said = ""
    while "Running on" not in said:
        line = server.stderr.readline()
        assert line, said
        said += line
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.communicate(timeout=HANG_SECONDS)


@pytest.fixture
def bucket(endpoint: str, shards: Shards, request: pytest.FixtureRequest) -> Any:
    """A bucket of the test's own, which the command reaches too."""
    shards.ocr.variables.update(SECRETS, AWS_ENDPOINT_URL=endpoint)
    client = boto3.resource(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    return client.create_bucket(Bucket=f"b{abs(hash(request.node.name)):x}"[:40])


def keys(bucket: Any, prefix: str) -> list[str]:
    return sorted(entry.key for entry in bucket.objects.filter(Prefix=prefix))


def body(bucket: Any, key: str) -> bytes:
    return bytes(bucket.Object(key).get()["Body"].read())


def upload(bucket: Any, folder: Path, write: Callable[[Path], list[Path]]) -> None:
    for path in write(folder):
        bucket.put_object(Key=f"in/{path.name}", Body=path.read_bytes())


def test_a_plan_and_its_shards_live_in_a_bucket(shards: Shards, bucket: Any) -> None:
    upload(bucket, shards.inputs, lambda folder: write_papers(folder, 4))
    bucket.put_object(Key="in-2020/paper.pdf", Body=b"%PDF- of a neighbour")
    url = f"s3://{bucket.name}"
    planned = shards.ocr.answer("shards", "plan", f"{url}/in", "--plan", f"{url}/plan")
    bucket.put_object(Key="in/paper02.pdf", Body=b"%PDF- changed since")

    done = shards.ocr(
        "shards", "run", f"{url}/plan", f"{url}/out", "--index", "0", "--scratch", shards.scratch, "--json"
    )

    assert planned["files"] == 4
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["failed"] == {"changed": 1}
    results = [key for key in keys(bucket, "out/files/0000/0000000/") if key.endswith("_ocr_results.json")]
    sources = [json.loads(body(bucket, key))["source"] for key in results]
    assert [source["path"] for source in sources] == [f"{url}/in/paper0{n}.pdf" for n in (1, 3, 4)]
    assert all(source["etag"] for source in sources)
    status = shards.ocr.answer("shards", "status", f"{url}/plan", f"{url}/out")
    assert (status["done"], status["files_done"], status["failed"]) == (1, 4, {"changed": 1})

    bucket.Object("out/done/0000/0000000.json").delete()
    again = shards.ocr("shards", "run", f"{url}/plan", f"{url}/out", "--index", "0", "--json")

    assert json.loads(again.stdout)["files"] == {"failed": 1, "kept": 3}


def test_a_bucket_that_is_not_there_is_told_as_such(shards: Shards, bucket: Any) -> None:
    upload(bucket, shards.inputs, lambda folder: write_papers(folder, 1))
    url, none = f"s3://{bucket.name}", f"s3://{bucket.name}-none"

    planned = [
        shards.ocr("shards", "plan", *words)
        for words in ((f"{none}/in", "--plan", f"{url}/plan"), (f"{url}/in", "--plan", f"{none}/plan"))
    ]

    assert [done.returncode for done in planned] == [3, 3]
    assert all("bucket does not exist" in done.stderr for done in planned)
