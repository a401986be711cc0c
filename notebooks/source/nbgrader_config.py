"""How nbgrader makes the learners' notebooks: the answer stays None where a solution is taken out."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "biornn_lite"
c.ClearSolutions.code_stub = {"python": ""}
c.ClearSolutions.enforce_metadata = True
