from logging import ERROR, INFO, LogRecord
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

import snakemake_logger_plugin_lesionbook as progress


class Log:
    """A handler that is told events, and the lines that it printed."""

    def __init__(self, capsys, dryrun=False):
        self.capsys = capsys
        self.handler = progress.LogHandler(SimpleNamespace(dryrun=dryrun), None)

    def __call__(self, event=None, text="", level=INFO, **facts):
        record = LogRecord("snakemake", level, "", 0, text, None, None)
        record.__dict__.update({"event": event} if event else {}, **facts)
        self.handler.emit(record)

    def job(self, number, title, rule="rule"):
        self(LogEvent.JOB_INFO, jobid=number, rule_msg=title, rule_name=rule, reason="Missing output files: a.html")

    @property
    def lines(self):
        printed = self.capsys.readouterr()
        assert printed.out == ""  # the progress is no result
        return printed.err.splitlines()


@pytest.fixture
def log(capsys):
    return Log(capsys)


def test_a_line_when_a_notebook_starts_and_one_when_a_job_is_done(log):
    log(LogEvent.RUN_INFO, stats={"notebook_a": 1, "html_a": 1, "all": 1, "total": 3})
    log.job(1, "notebook a of s (sample)")
    log.job(2, "page of a")
    assert log.lines == ["[0/2] … notebook a of s (sample)"]
    log(LogEvent.JOB_FINISHED, job_id=1)
    log(LogEvent.JOB_FINISHED, job_id=2)
    log.job(0, None, rule="all")
    log(LogEvent.JOB_FINISHED, job_id=0)
    assert log.lines == ["[1/2] ✓ notebook a of s (sample)  0 s", "[2/2] ✓ page of a  0 s"]


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (83, "83 s"), (200, "3.3 min")])
def test_the_time_is_that_from_start_to_end(log, monkeypatch, seconds, said):
    clock = iter([1000.0, 1000.0 + seconds, 1000.0 + seconds])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    log(LogEvent.RUN_INFO, stats={"total": 12})
    log.job(1, "notebook a")
    log(LogEvent.JOB_FINISHED, job_id=1)
    assert log.lines[-1] == f"[ 1/12] ✓ notebook a  {said}"


def test_a_failure_is_marked_and_named_at_the_end(log):
    log(LogEvent.RUN_INFO, stats={"total": 2})
    log.job(1, "notebook a")
    log(LogEvent.JOB_ERROR, level=ERROR, text="Error in rule notebook_a", jobid=1, rule_name="notebook_a")
    assert log.lines[-1] == "[0/2] ✗ notebook a  0 s"
    log(LogEvent.ERROR, level=ERROR, text="CalledProcessError: Command returned non-zero exit status 1")
    log(level=ERROR, text="Exiting because a job execution failed. Look below for error messages")
    assert [line for line in log.lines if "notebook a" in line and "make report" in line]


def test_an_error_of_the_order_of_the_work_itself_is_shown(log):
    log(LogEvent.ERROR, level=ERROR, text="MissingInputException: reports/x.html")
    log(level=ERROR, text="disk full")
    assert log.lines == ["MissingInputException: reports/x.html", "disk full"]


def test_chatter_is_left_out(log):
    log(LogEvent.SHELLCMD, text="python -m lesionbook.pipeline run")
    log(LogEvent.PROGRESS, text="1 of 2 steps done", done=1, total=2)
    log(text="Building DAG of jobs...")
    assert log.lines == []


def test_nothing_to_do_is_said(log):
    log(text="Nothing to be done (all requested files are present and up to date).")
    assert len(lines := log.lines) == 1
    assert "Nothing to do" in lines[0]


def test_a_plan_says_what_would_run_and_why(capsys):
    log = Log(capsys, dryrun=True)
    log.job(1, "page of a")
    log.job(0, None, rule="all")
    assert [line.strip() for line in log.lines] == ["would run  page of a", "because: Missing output files: a.html"]


def test_snakemake_finds_it_by_name():
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    assert LoggerPluginRegistry().get_plugin("lesionbook").log_handler is progress.LogHandler
