# The order of the work: which notebook feeds which. `make report` runs it; `make plan` shows what it would do and why.
import sys

from lesionbook import paths, workflow
from lesionbook.errors import LesionbookError

PROFILE = config.get("profile", "sample")
try:
    PLAN = workflow.plan(str(config.get("study", "")).split(), PROFILE, config.get("data", ""))
    LOOK = workflow.report_modules()
except LesionbookError as error:
    sys.exit(f"error: {error}")
STEPS = [step for steps in PLAN.values() for step in steps]
PYTHON = f'"{sys.executable}"'


rule all:
    input:
        "reports/index.html",
        [step.pdf for step in STEPS],
        expand("reports/{profile}/{study}/book.pdf", profile=PROFILE, study=PLAN),


for step in STEPS:

    rule:
        name: f"notebook_{step.study}_{step.name}"
        message: f"notebook {step.name} of {step.study} ({PROFILE})"
        input:
            step.inputs["source"],
            step.inputs["results"],
            ancient(step.inputs["kept"]),
        output:
            **step.outputs,
        params:
            arguments=step.arguments,
        threads: step.threads
        resources:
            notebooks=1,
        shell:
            f"{PYTHON} -m lesionbook.workflow run {step.command}"

    rule:
        name: f"html_{step.study}_{step.name}"
        message: f"page of {step.name} of {step.study}"
        input:
            step.outputs["notebook"],
            LOOK,
        output:
            step.html,
        params:
            titles=[other.title for other in PLAN[step.study]],
        shell:
            f"{PYTHON} -m lesionbook.workflow html {step.command}"

    rule:
        name: f"pdf_{step.study}_{step.name}"
        message: f"PDF of {step.name} of {step.study}"
        input:
            step.html,
        output:
            step.pdf,
        shell:
            f"{PYTHON} -m lesionbook.workflow pdf {step.command}"


for study, steps in PLAN.items():

    rule:
        name: f"book_{study}"
        message: f"book of {study}"
        input:
            [step.html for step in steps],
        output:
            f"reports/{PROFILE}/{study}/book.pdf",
        shell:
            f"{PYTHON} -m lesionbook.workflow book {study} {PROFILE}"


rule index:
    message: "index of all reports"
    input:
        [step.html for step in STEPS],
    output:
        "reports/index.html",
    shell:
        f"{PYTHON} -m lesionbook.workflow index"


onerror:
    # What did finish can still be read, and the index says what did not.
    shell(f"{PYTHON} -m lesionbook.workflow index")
