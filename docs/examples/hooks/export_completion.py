"""In every run over completions, for each result that the completion rules let out, after consent and the learner's
id at the LMS are settled. Also by `coursewire plan` and `preview`. As with content, only a payload that differs from
what was last confirmed is sent, and whether it is sent again is for `should_transmit` to say."""

import coursewire as cw


@cw.hookimpl
def export_completion(completion: cw.Completion) -> cw.JsonObject:
    """A grade that nobody knows is null, which is not zero."""
    percent = None if completion.percent is None else float(round(completion.percent * 100, 2))
    return {
        "learner": completion.remote_id,
        "course": completion.course_key,
        "done": completion.complete,
        "passed": completion.verdict is cw.Verdict.PASS,
        "on": cw.iso_utc(completion.completed_at),
        "percent": percent,
    }
