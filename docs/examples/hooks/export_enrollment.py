"""In every run over enrollments, for each enrollment that consent and the learner's id at the LMS let out, and for its
end, where the LMS may have been told that it began. A channel whose capabilities say nothing of enrollments is never
asked. As with completions, only a payload that differs from what was last confirmed is sent."""

import coursewire as cw


@cw.hookimpl
def export_enrollment(enrollment: cw.EnrollmentReport) -> cw.JsonObject:
    """Lighthouse lists who is in a course; one who has left stays on the list, as inactive."""
    return {
        "learner": enrollment.remote_id,
        "course": enrollment.course_key,
        "active": enrollment.active,
    }
