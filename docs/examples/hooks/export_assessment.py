"""In every run over assessments, for each subsection of a course that a learner has attempted, under the same rules as
completions. A channel whose capabilities say nothing of assessments is never asked."""

import coursewire as cw


@cw.hookimpl
def export_assessment(assessment: cw.Assessment) -> cw.JsonObject:
    """Points as text: Lighthouse compares them to the cent."""
    return {
        "learner": assessment.remote_id,
        "course": assessment.course_key,
        "task": assessment.subsection_name,
        "points": str(assessment.points_earned),
        "of": str(assessment.points_possible),
    }
