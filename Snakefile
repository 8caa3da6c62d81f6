# The order of the work: which notebook feeds which. `make report` runs it; `make plan` shows what it would do and why.
import sys

from lesionbook import plan
from lesionbook.errors import LesionbookError

# Snakemake reads an empty value as none.
PROFILE = config.get("profile") or "sample"
try:
    PLAN = plan.steps(str(config.get("study") or "").split(), PROFILE, str(config.get("data") or ""))
    LOOK = plan.report_modules()
except LesionbookError as error:
    sys.exit(f"error: {error}")
STEPS = [step for steps in PLAN.values() for step in steps]
RUN = f'"{sys.executable}" -m lesionbook.pipeline'


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
            command=step.command,
            arguments=step.arguments,
        threads: step.threads
        priority: step.priority
        resources:
            notebooks=1,
        shell:
            RUN + " run {params.command}"

    rule:
        name: f"html_{step.study}_{step.name}"
        message: f"page of {step.name} of {step.study}"
        input:
            step.outputs["notebook"],
            LOOK,
        output:
            step.html,
        params:
            command=step.command,
            titles=[step.heading, *(other.title for other in PLAN[step.study])],
        shell:
            RUN + " html {params.command}"

    rule:
        name: f"pdf_{step.study}_{step.name}"
        message: f"PDF of {step.name} of {step.study}"
        input:
            step.html,
        output:
            step.pdf,
        params:
            command=step.command,
        shell:
            RUN + " pdf {params.command}"


# Studies that are drawn alike share their images.
DRAWN = {folder: step.study for step in STEPS for folder in step.draws}

for folder, study in DRAWN.items():

    rule:
        name: f"draw_{study}"
        message: f"drawing the images of {study}"
        output:
            folder,
        params:
            command=study,
        threads: workflow.cores
        priority: 100  # more than that of all notebooks that its cores could run: between them it would wait for each
        shell:
            RUN + " draw {params.command}"


for study, steps in PLAN.items():

    rule:
        name: f"book_{study}"
        message: f"book of {study}"
        input:
            [step.html for step in steps],
        output:
            f"reports/{PROFILE}/{study}/book.pdf",
        params:
            command=f"{study} {PROFILE}",
            heading=[steps[0].heading, steps[0].question],
        shell:
            RUN + " book {params.command}"


rule index:
    message: "index of all reports"
    input:
        [step.html for step in STEPS],
    output:
        "reports/index.html",
        "reports/times.html",
    shell:
        RUN + " index"


onerror:
    # What did finish can still be read, and the index says what did not.
    shell(RUN + " index")
