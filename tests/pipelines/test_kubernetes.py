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


ITEMS: list[dict[str, Any]] = [
    item for name in KUSTOMIZATION["resources"] for item in yaml.safe_load_all((FOLDER / name).read_text())
]
#: What the platform knows each kind by.
VERSIONS = {
    "Namespace": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "CronJob": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
}


def of(kind: str) -> list[dict[str, Any]]:
    return [item for item in ITEMS if item["kind"] == kind]


def template(item: dict[str, Any]) -> dict[str, Any]:
    """What the pods of a resource are made from: their labels and their specification."""
    spec = item["spec"]
    found: dict[str, Any] = (spec["jobTemplate"]["spec"] if item["kind"] == "CronJob" else spec)["template"]
    return found


def pods(kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(the resource, the specification of its pods)."""
    for item in of(kind):
        yield item, template(item)["spec"]


ALL = [pod for kind in ("Deployment", "CronJob") for pod in pods(kind)]
#: Pods that read or write the orgs; the scheduler of a cluster only shares out ranges.
WITH_ORGS = [(item, pod) for item, pod in ALL if pod["containers"][0]["name"] != "scheduler"]


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
        if item["kind"] == "CronJob":
            assert pod["restartPolicy"] == "Never"
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
        assert item["spec"]["selector"]["matchLabels"].items() <= template(item)["metadata"]["labels"].items()


def test_secrets_are_never_in_a_manifest() -> None:
    """REC-11: addresses come from the secret, under the names that the manifests ask for."""
    wanted = {
        word for word in (FOLDER / "manifests" / "connection.yaml").read_text().split() if word.endswith("_STORE}")
    }
    text = (FOLDER / "README.md").read_text()
    assert wanted
    assert all(f"--from-literal={word.rstrip('}')}=" in text for word in wanted)
    assert len(WITH_ORGS) == len(ALL) - 1
    assert all(pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "orgsync-stores"}}] for _, pod in WITH_ORGS)


def test_kinds_and_names() -> None:
    """REC-10: every resource is of a kind that there is, under a name of its own."""
    assert [item["apiVersion"] for item in ITEMS] == [VERSIONS[item["kind"]] for item in ITEMS]
    names = [(item["kind"], item["metadata"]["name"]) for item in ITEMS]
    assert len(names) == len(set(names))


def test_a_cluster_is_found_and_fed() -> None:
    """BLK-5: jobs and workers name the scheduler by its service; workers find manifests and orgs where jobs do."""
    (service,) = of("Service")
    (scheduler,) = (item for item in of("Deployment") if item["metadata"]["name"] == "orgsync-dask-scheduler")
    (worker,) = (item for item in of("Deployment") if item["metadata"]["name"] == "orgsync-dask-worker")
    labels = template(scheduler)["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    (port,) = service["spec"]["ports"]
    (container,) = template(scheduler)["spec"]["containers"]
    assert str(port["port"]) in container["args"]
    address = f"tcp://{service['metadata']['name']}:{port['port']}"
    (working,) = template(worker)["spec"]["containers"]
    assert working["command"][:2] == ["dask", "worker"]
    assert address in working["command"]
    jobs = [
        (item, pod["containers"][0]) for item, pod in pods("CronJob") if "--cluster" in pod["containers"][0]["args"]
    ]
    assert {container["args"][0] for _, container in jobs} == {"verify", "bulk-sync"}
    for item, container in jobs:
        assert container["args"][container["args"].index("--cluster") + 1] == address
        assert (container["image"], container["envFrom"]) == (working["image"], working["envFrom"])
        assert container["volumeMounts"] == working["volumeMounts"]
        assert template(item)["metadata"]["labels"]["dask"] == labels["dask"]
    assert "cluster]" in (FOLDER.parent / "docker" / "Dockerfile").read_text()


def test_who_reaches_whom() -> None:
    """REC-11: nobody reaches a pod but those of the cluster, by the ports that they listen on."""
    closed, cluster = of("NetworkPolicy")
    assert (closed["spec"]["podSelector"], "ingress" in closed["spec"]) == ({}, False)
    assert closed["spec"]["policyTypes"] == cluster["spec"]["policyTypes"] == ["Ingress", "Egress"]
    wanted = cluster["spec"]["podSelector"]["matchLabels"].items()
    inside = {
        i["metadata"]["name"] for i, _ in ALL if wanted <= template(i).get("metadata", {}).get("labels", {}).items()
    }
    assert inside == {"orgsync-dask-scheduler", "orgsync-dask-worker", "orgsync-bulk-sync", "orgsync-verify"}
    listening = {
        port["containerPort"]
        for _, pod in ALL
        for port in pod["containers"][0].get("ports", ())
        if port["name"] != "health"
    }
    for way in ("ingress", "egress"):
        (rule,) = cluster["spec"][way]
        assert {item["port"] for item in rule["ports"]} == listening


def test_budgets_and_probes() -> None:
    """REC-10: every deployment of several pods has a budget; every one is asked whether it is ready, by what answers."""
    budgets = {str(item["spec"]["selector"]["matchLabels"]) for item in of("PodDisruptionBudget")}
    several = {str(i["spec"]["selector"]["matchLabels"]) for i in of("Deployment") if i["spec"]["replicas"] > 1}
    assert budgets == several
    for _, pod in pods("Deployment"):
        (container,) = pod["containers"]
        probe = container["readinessProbe"]
        if "exec" in probe:
            result = CliRunner().invoke(cli, [probe["exec"]["command"][1], "--help"])
            assert result.exit_code == 0
            assert probe["exec"]["command"][-1] in result.stdout
        else:
            (port,) = (item for item in container["ports"] if item["name"] == probe["httpGet"]["port"])
            assert f":{port['containerPort']}" in container["args"]
