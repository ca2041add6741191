"""Fixtures of the interoperability tests. The work is in harness, documents, peers, inputs."""

import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import harness  # noqa: E402


def pytest_report_header():
    return f"ngff: {harness.NGFF}; CI: {harness.IN_CI}; shared: {harness.SHARED.exists()}"


@pytest.fixture(scope="session", autouse=True)
def command_line():
    harness.need_cli()


# In continuous integration nothing is skipped silently: what a test needs has to be there.


def forbid_skip(report):
    if harness.IN_CI and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI=true does not allow: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    outcome = yield
    forbid_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report():
    outcome = yield
    forbid_skip(outcome.get_result())


# ---- images in each form of output, for tests of failures ------------------------------------------


def make_pairs(request, small):
    """By the program that the tests' module names, for which runs must be many: without sanitizers."""
    import forms

    program = getattr(request.module, "PROGRAM", harness.NGFF)
    with tempfile.TemporaryDirectory(prefix="ngff-pairs-", dir=forms.scratch()) as work:
        yield forms.Pairs(work, small, program)


@pytest.fixture(scope="module")
def pairs(request):
    yield from make_pairs(request, False)


@pytest.fixture(scope="module")
def small_pairs(request):
    yield from make_pairs(request, True)


@pytest.fixture
def place():
    """Like tmp_path, but in memory where there is such a place."""
    import forms

    with tempfile.TemporaryDirectory(prefix="ngff-place-", dir=forms.scratch()) as work:
        yield pathlib.Path(work)


# ---- numbers worth seeing -----------------------------------------------------------------------

LINES = []


@pytest.fixture
def report():
    """Says one line that is shown below the results, however they are."""
    return LINES.append


def pytest_terminal_summary(terminalreporter):
    for line in LINES:
        terminalreporter.write_line(line)
