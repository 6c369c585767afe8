"""pytest: programs run by tests are checked by Reel.

Use in a test:

    def test_server(reel_check):
        reel_check("./server", "--selftest")         # fails with the findings, if there are any

To check the threads of a Python program or of the tests themselves, no fixture is needed:

    reel check -- python3 -m pytest
"""
import json
import subprocess

import pytest


@pytest.fixture
def reel_check(tmp_path, request):
    """Runs a command under reel check; fails the test with what was found."""

    def run(*command, suppressions=None, timeout=60, **options):
        report = tmp_path / "reel.json"
        reel = ["reel", "check", "-q", "-o", str(tmp_path / "program.reel"),
                f"--timeout={timeout}", f"--format=json={report}"]
        if suppressions:
            reel.append(f"--suppressions={suppressions}")
        result = subprocess.run(reel + ["--"] + [str(word) for word in command], **options)
        if result.returncode == 66:
            findings = json.loads(report.read_text())["findings"]
            pytest.fail("\n\n".join(
                f"{finding['kind']} ({finding['confidence']}): {finding['title']} [{finding['id']}]\n"
                f"{finding['explanation']}\nFix: {finding['fix']}"
                for finding in findings
                if finding["severity"] == "error" and not finding["suppressed"]), pytrace=False)
        return result

    return run
