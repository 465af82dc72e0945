"""Rules for the whole suite: in CI a skipped test is a failed run, and searching tests are the same each time."""

import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping

import pytest
from hypothesis import HealthCheck, settings

from tests.central.served import served  # noqa: F401  (one for every folder that asks for it)
from tests.steady_time import SteadyLoop

IN_CI = os.environ.get("CI") == "true"

# The machine's load must not decide about a test; the examples are the same from run to run unless more are asked for.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _PATIENT, derandomize=True, max_examples=100)
settings.register_profile("full", _PATIENT, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """A busy machine must not make late the answer of a key that is in the test's own process."""
    return {"steady": SteadyLoop}


def _skipped(session: pytest.Session) -> int:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    return 0 if reporter is None else len(reporter.stats.get("skipped", []))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A machine without some part must not make its tests disappear without a word."""
    if IN_CI and _skipped(session) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _cases(terminalreporter: pytest.TerminalReporter) -> dict[str, tuple[int, float]]:
    """What tests that go through many cases have told (``tests/faults``): by kind, how many, and the worst time."""
    found: dict[str, tuple[int, float]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "cases":
                kind, cases, worst_s = value
                before, worst_before_s = found.get(kind, (0, 0.0))
                found[kind] = (before + cases, max(worst_before_s, worst_s))
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cases there were, and why the run failed though no test did."""
    for kind, (cases, worst_s) in sorted(_cases(terminalreporter).items()):
        worst = f", something plain on the screen after {worst_s:.2f} s at most" if worst_s else ""
        terminalreporter.write_line(f"cases: {kind}: {cases}{worst}")
    if IN_CI and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("skipped tests fail a CI run", red=True)
