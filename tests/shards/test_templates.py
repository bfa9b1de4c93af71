"""The templates of examples/batch do what they say, as far as that can be tried without a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import pytest
import yaml

from rigs.papers import write_papers
from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS
from tests.shards.material import Shards

TEMPLATES = REPOSITORY / "examples" / "batch"


@pytest.mark.needs("parallel")
def test_gnu_parallel_does_all_shards_and_then_none(shards: Shards) -> None:
    write_papers(shards.inputs, 3)
    shards.plan("--pages-per-shard", "1")
    named = shards.home / "the plan's folder & more"
    named.symlink_to(shards.plan_folder)
    environment = {
        **shards.ocr.environment(), "PLAN": str(named), "OUT": str(shards.out), "JOBS": "3",
        "PROCESSES": "1", "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(shards.home), "TMPDIR": str(shards.home),
    }  # fmt: skip

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TEMPLATES / "gnu-parallel.sh"],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=HANG_SECONDS,
        )

    first, again = run(), run()

    assert first.returncode == 0, first.stderr
    assert shards.status()["done"] == 3
    assert again.stdout == "All shards are done.\n"


@pytest.mark.parametrize(
    ("name", "operation"),
    [("aws-batch-job-definition.json", "RegisterJobDefinition"), ("aws-batch-submit.json", "SubmitJob")],
)
def test_aws_would_take_its_files(name: str, operation: str) -> None:
    given = json.loads((TEMPLATES / name).read_bytes())
    model: Any = botocore.session.get_session().get_service_model("batch")

    found = botocore.validate.ParamValidator().validate(given, model.operation_model(operation).input_shape)

    assert not found.has_errors(), found.generate_report()


@pytest.mark.parametrize("name", ["slurm-array.sh", "gnu-parallel.sh"])
def test_scripts_are_whole(name: str) -> None:
    subprocess.run(["bash", "-n", TEMPLATES / name], check=True)


def test_the_commands_of_templates_are_commands_of_ours(shards: Shards) -> None:
    job = yaml.safe_load((TEMPLATES / "kubernetes-indexed-job.yaml").read_bytes())
    kubernetes = job["spec"]["template"]["spec"]["containers"][0]["command"]
    aws = json.loads((TEMPLATES / "aws-batch-job-definition.json").read_bytes())["containerProperties"][
        "command"
    ]

    for command in (kubernetes, aws):
        words = [{"Ref::offset": "0"}.get(word, word) for word in command[1:]]
        # All is understood, and what is missing is the index.
        done = shards.ocr(*words)
        assert (done.returncode, "Which shard?" in done.stderr) == (2, True), done.stderr
