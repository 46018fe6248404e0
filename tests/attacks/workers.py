"""The server's worker class with another patience, so that a test shows which of its limits has helped."""

from connector.web.serving import PatientWorker


class CutsAnswersSoon(PatientWorker):
    answer_within = 3.0


class CutsOnlyInAHurry(PatientWorker):
    read_within = answer_within = 3600.0
