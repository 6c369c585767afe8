#!/usr/bin/env python3
"""Checks a report against what its format promises: validate.py FORMAT FILE [SCHEMA]

json    the schema given, as far as it says types, required members, enums and patterns
sarif   the structure SARIF 2.1.0 wants of what we write, and its cross references
junit   well-formed XML whose counts agree with its cases
Prints the number of findings."""
import json
import re
import sys
import xml.etree.ElementTree


def conforms(value, schema, root, where="$"):
    """The part of JSON Schema that our schema uses."""
    if "$ref" in schema:
        target = root
        for name in schema["$ref"].lstrip("#/").split("/"):
            target = target[name]
        return conforms(value, target, root, where)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    wanted = schema.get("type")
    if wanted:
        wanted = [wanted] if isinstance(wanted, str) else wanted
        fits = any(isinstance(value, int) and not isinstance(value, bool) if kind == "integer"
                   else isinstance(value, kinds[kind]) for kind in wanted)
        assert fits, f"{where}: {value!r} is no {wanted}"
    if "const" in schema:
        assert value == schema["const"], f"{where}: {value!r}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and isinstance(value, str):
        assert re.search(schema["pattern"], value), f"{where}: {value!r}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            assert name in value, f"{where}: lacks {name}"
        for name, member in value.items():
            known = schema.get("properties", {}).get(name)
            assert known or schema.get("additionalProperties", True), f"{where}: has {name}"
            if known:
                conforms(member, known, root, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            conforms(item, schema["items"], root, f"{where}[{index}]")


def check_json(path, schema_path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    conforms(report, schema, schema)
    ids = [finding["id"] for finding in report["findings"]]
    assert len(ids) == len(set(ids)), "an id appears twice"
    return len(ids)


def check_location(location):
    physical = location.get("physicalLocation")
    if physical:
        assert isinstance(physical["artifactLocation"]["uri"], str)
        assert " " not in physical["artifactLocation"]["uri"], "a URI with a blank"
        assert physical.get("region", {}).get("startLine", 1) >= 1


def check_sarif(path):
    with open(path, encoding="utf-8") as file:
        log = json.load(file)
    assert log["version"] == "2.1.0" and "sarif-2.1.0" in log["$schema"]
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "Reel"
    rules = driver["rules"]
    for rule in rules:
        assert rule["id"] and rule["shortDescription"]["text"] and rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        assert re.fullmatch(r"F-[0-9a-f]{10}", result["partialFingerprints"]["reelFindingId/v1"])
        for location in result["locations"]:
            check_location(location)
        orders = []
        for flow in result.get("codeFlows", []):
            assert flow["threadFlows"], "an empty code flow"
            for thread in flow["threadFlows"]:
                assert thread["locations"], "an empty thread flow"
                for step in thread["locations"]:
                    check_location(step["location"])
                    orders.append(step["executionOrder"])
                    for frame in step.get("stack", {}).get("frames", []):
                        check_location(frame["location"])
        assert sorted(orders) == list(range(1, len(orders) + 1)), f"steps are {orders}"
        for base in re.findall(r'"uriBaseId": "([^"]*)"', json.dumps(result)):
            assert base in run["originalUriBaseIds"]
    return len(run["results"])


def check_junit(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    (suite,) = root.findall("testsuite")
    cases = suite.findall("testcase")
    failures = [case for case in cases if case.find("failure") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    assert int(suite.get("tests")) == int(root.get("tests")) == len(cases) >= 1
    assert int(suite.get("failures")) == int(root.get("failures")) == len(failures)
    assert int(suite.get("skipped")) == len(skipped)
    for case in failures:
        assert case.get("name") and case.find("failure").get("message")
        assert case.find("failure").text.strip()
    return len(failures)


def main():
    kind, path = sys.argv[1:3]
    if kind == "json":
        print(check_json(path, sys.argv[3]))
    else:
        print({"sarif": check_sarif, "junit": check_junit}[kind](path))


main()
