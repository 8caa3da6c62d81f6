"""What a run says on the terminal: a line when a notebook starts and one when it is done, with count and time.

Snakemake finds this module by its name (``--logger lesionbook``).
"""

import sys
import textwrap
import time
from logging import ERROR, LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

GATHERS = "all"  # the rule that only gathers the others


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
        self.titles: dict[int, str] = {}
        self.started: dict[int, float] = {}
        self.failed: list[str] = []
        self.total = self.done = 0

    def emit(self, record: LogRecord) -> None:
        """Turn one event into at most one line."""
        event = getattr(record, "event", None)
        text = str(record.msg)
        if event == LogEvent.RUN_INFO:
            self.total = record.stats.get("total", 0) - record.stats.get(GATHERS, 0)
        elif event == LogEvent.JOB_INFO and record.rule_name != GATHERS:
            self._announce(record)
        elif event == LogEvent.JOB_FINISHED and record.job_id in self.titles:
            self.done += 1
            self._say(f"{self._count()} ✓ {self.titles[record.job_id]}  {self._time(record.job_id)}")
        elif event == LogEvent.JOB_ERROR:
            self.failed.append(self.titles.get(record.jobid, record.rule_name))
            self._say(f"{self._count()} ✗ {self.failed[-1]}  {self._time(record.jobid)}")
        elif text.startswith("Exiting because a job execution failed"):
            self._say(
                f"Failed: {', '.join(self.failed)}. All that does not need it is done; make report goes on from there."
            )
        elif event == LogEvent.ERROR or (event is None and record.levelno >= ERROR):
            # A failed job has said what is wrong by itself; what Snakemake adds is about itself.
            if not self.failed and "CalledProcessError" not in text:
                self._say(text)
        elif text.startswith("Nothing to be done"):
            self._say("Nothing to do: every report is up to date (reports/index.html).")

    def _announce(self, record: LogRecord) -> None:
        title = self.titles[record.jobid] = record.rule_msg or record.rule_name
        self.started[record.jobid] = time.monotonic()
        if self.common_settings.dryrun:
            reason = textwrap.shorten(record.reason, 400, placeholder=" …")
            self._say(f"would run  {title}\n           because: {reason}")
        elif title.startswith("notebook"):
            self._say(f"{self._count()} … {title}")

    def _count(self) -> str:
        width = len(str(self.total))
        return f"[{self.done:{width}}/{self.total}]"

    def _time(self, job: int) -> str:
        seconds = time.monotonic() - self.started.get(job, time.monotonic())
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)
