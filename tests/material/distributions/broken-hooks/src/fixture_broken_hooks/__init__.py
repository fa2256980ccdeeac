"""One of its hooks is misspelt."""

from coursewire import hookimpl


@hookimpl
def job_begun(job):
    job["noted"] = True
