"""Notes each job that begins, and marks what every channel exports."""

from coursewire import hookimpl


@hookimpl
def job_started(job):
    job["noted"] = True


@hookimpl(wrapper=True)
def export_content():
    body = yield
    return {**body, "marked": True}
