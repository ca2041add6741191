"""Fixtures of the interoperability tests. The work is in harness, documents, peers, inputs."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402


def pytest_report_header():
    return f"ngff: {harness.NGFF}; CI: {harness.IN_CI}; shared: {harness.SHARED.exists()}"


@pytest.fixture(scope="session", autouse=True)
def command_line():
    harness.need_cli()
