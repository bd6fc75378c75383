"""Checks of rendered manifests that a schema cannot make: `manifests.py FILE`.

Every pod is fit for the pod security standard `restricted` and stricter, liveness does not ask the database, the time to end
is longer than the drain, and no secret value is rendered.
"""

import re
import sys

import yaml


def pods(objects):
    """Name and pod specification of each workload."""
    for thing in objects:
        if thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
            yield f"{thing['kind']} {thing['metadata']['name']}", thing["spec"]["template"]


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def problems_of_pod(spec: dict):
    security = spec.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
        yield "runs as root, or does not say that it does not"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if spec.get("automountServiceAccountToken") is not False:
        yield "carries a service account token"
    if spec.get("enableServiceLinks") is not False:
        yield "carries other services' addresses in its environment"
    for container in spec["containers"] + spec.get("initContainers", []):
        inner = container.get("securityContext", {})
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        if any(inner.get(key) != value for key, value in wanted.items()):
            yield f"container {container['name']} is not confined"
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
            yield f"container {container['name']} does not say what it needs"
        mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
        if missing := mounts - {volume["name"] for volume in spec.get("volumes", [])}:
            yield f"container {container['name']} mounts {missing}, which is no volume"


def problems_of_server(spec: dict, config: str):
    (server,) = spec["containers"]
    # Not the gRPC health service: Kubernetes does not ask it over TLS.
    if server["readinessProbe"].get("httpGet", {}).get("path") != "/readyz":
        yield "readiness does not ask whether the server serves"
    for probe in ("startupProbe", "livenessProbe"):
        if server[probe].get("httpGet", {}).get("path") != "/livez":
            yield f"{probe} may ask the database"
    # The bounds of what ends after the drain: cut-off calls, the writer, publishing, the store, telemetry.
    after = 2 + 10 + 10 + 20 + 3
    drain = sum(seconds(re.search(rf'^{key} = "(.+)"$', config, re.M)[1]) for key in ("lame_duck", "drain"))
    if spec["terminationGracePeriodSeconds"] < drain + after:
        yield f"is given {spec['terminationGracePeriodSeconds']} s to end, which may take {drain + after} s"
    if "CUSTOMER_PROFILE_DATABASE__URL" not in {variable["name"] for variable in server["env"]}:
        yield "has no database"


def problems(objects: list):
    kinds = [thing["kind"] for thing in objects]
    if "Secret" in kinds:
        yield "a secret value is rendered"
    (space,) = (thing for thing in objects if thing["kind"] == "Namespace")
    if space["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
        yield "the namespace takes any pod"
    (config,) = (thing["data"]["customer-profile.toml"] for thing in objects if thing["kind"] == "ConfigMap")
    (service,) = (thing for thing in objects if thing["kind"] == "Service")
    selected = [
        (name, template["spec"])
        for name, template in pods(objects)
        if service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    ]
    if len(selected) != 1:
        yield f"the service selects {[name for name, _ in selected]}"
    for name, spec in selected:
        yield from (f"{name}: {problem}" for problem in problems_of_server(spec, config))
    for name, template in pods(objects):
        yield from (f"{name}: {problem}" for problem in problems_of_pod(template["spec"]))


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as rendered:
        objects = list(yaml.safe_load_all(rendered))
    found = list(problems(objects))
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"{len(objects)} objects, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
