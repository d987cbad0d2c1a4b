"""The Kubernetes example: every command is one of the program, every name that is used is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from orgsync_reconcile.cli.main import cli
from orgsync_reconcile.manifest import load

FOLDER = Path(__file__).parents[2] / "examples" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())


def pods(kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(the resource, the specification of its pods)."""
    for name in KUSTOMIZATION["resources"]:
        for item in yaml.safe_load_all((FOLDER / name).read_text()):
            if item["kind"] == kind:
                spec = item["spec"]
                yield item, (spec["jobTemplate"]["spec"] if kind == "CronJob" else spec)["template"]["spec"]


ALL = [pod for kind in ("Deployment", "CronJob", "Job") for pod in pods(kind)]


def test_every_file_is_applied() -> None:
    """REC-10: nothing of the folder is forgotten."""
    here = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == here
    (config,) = KUSTOMIZATION["configMapGenerator"]
    assert {FOLDER / name for name in config["files"]} == set((FOLDER / "manifests").glob("*.yaml"))
    assert load(FOLDER / "manifests", base=FOLDER).diagnostics == ()


@pytest.mark.parametrize(("item", "pod"), ALL, ids=[item["metadata"]["name"] for item, _ in ALL])
def test_pods(item: dict[str, Any], pod: dict[str, Any]) -> None:
    """REC-10, REC-11: the commands exist, volumes are named, nothing runs as root or may write to its own files."""
    (container,) = pod["containers"]
    if container.get("command", ["orgsync"]) == ["orgsync"]:
        words = container["args"]
        result = CliRunner().invoke(cli, [words[0], "--help"])
        assert result.exit_code == 0
        assert all(word in result.stdout for word in words if word.startswith("--"))
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    if item["kind"] == "Deployment":
        assert item["spec"]["selector"]["matchLabels"] == item["spec"]["template"]["metadata"]["labels"]


def test_secrets_are_never_in_a_manifest() -> None:
    """REC-11: addresses come from the secret, under the names that the manifests ask for."""
    wanted = {
        word for word in (FOLDER / "manifests" / "connection.yaml").read_text().split() if word.endswith("_STORE}")
    }
    text = (FOLDER / "README.md").read_text()
    assert wanted
    assert all(f"--from-literal={word.rstrip('}')}=" in text for word in wanted)
    assert all(pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "orgsync-stores"}}] for _, pod in ALL)
