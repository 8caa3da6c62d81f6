"""What a run says on the terminal: a line when a notebook starts and one when it is done, with count and time.

Snakemake finds this module by its name (``--logger lesionbook``).
"""

import sys
import time
from logging import ERROR, LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase


class LogHandlerSettings(LogHandlerSettingsBase):
    """No settings of its own."""


class LogHandler(LogHandlerBase):
    """Prints the progress of a run."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Start with no job known."""
        self.jobs: dict[int, tuple[str, str]] = {}
        self.started: dict[int, float] = {}
        self.total = self.done = 0
        self.last: int | None = None

    def emit(self, record: LogRecord) -> None:
        """Turn one event into at most one line."""
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO:
            # The rule that only gathers the others is no work.
            self.total = record.stats.get("total", 0) - record.stats.get("all", 0)
        elif event == LogEvent.JOB_INFO:
            self._announce(record)
        elif event == LogEvent.JOB_FINISHED:
            self._finish(record.job_id)
        elif event == LogEvent.JOB_ERROR:
            title = self.jobs.get(record.jobid, (record.rule_name, ""))[0]
            self._say(f"[failed] {title} after {self._seconds(record.jobid)}")
        elif event == LogEvent.ERROR or (event is None and record.levelno >= ERROR):
            self._say(str(record.msg))
        elif event is None and str(record.msg).startswith("Nothing to be done"):
            self._say("Nothing to do: every report is up to date (reports/index.html).")

    def _announce(self, record: LogRecord) -> None:
        self.jobs[record.jobid] = (record.rule_msg or record.rule_name, record.reason)
        self.started[record.jobid] = time.monotonic()
        if self.common_settings.dryrun:
            self._say(f"would run  {self.jobs[record.jobid][0]}\n           because: {' '.join(record.reason.split())}")
        elif self.jobs[record.jobid][0].startswith("notebook"):
            self._say(f"{self._count()} … {self.jobs[record.jobid][0]}")

    def _finish(self, job: int) -> None:
        if job in self.jobs and self.jobs[job][0] != "all":
            self.done += 1
            self._say(f"{self._count()} ✓ {self.jobs[job][0]}  {self._seconds(job)}")

    def _count(self) -> str:
        width = len(str(self.total))
        return f"[{self.done:{width}}/{self.total}]"

    def _seconds(self, job: int) -> str:
        seconds = time.monotonic() - self.started.get(job, time.monotonic())
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)
