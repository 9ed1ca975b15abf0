"""Runs unittest with the given arguments and writes which tests ran, and how each ended, as JSON.

    python unittest_ids.py REPORT [argument of `python -m unittest` ...]
"""

import inspect
import json
import os
import sys
import unittest


class Recorder(unittest.TextTestResult):
    """Keeps how each test ended; the worst counts."""

    ORDER = ("passed", "skipped", "failed")

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.endings = {}

    def note(self, test, ending):
        name, file = test.id(), None
        try:
            file = os.path.relpath(inspect.getfile(type(test)))
        except (TypeError, OSError, ValueError):
            pass
        known = self.endings.get(name, ("passed", file))
        self.endings[name] = (max(known[0], ending, key=self.ORDER.index), file)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "passed")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.note(test, "failed")

    def addError(self, test, error):
        super().addError(test, error)
        self.note(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.note(test, "skipped")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "failed")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.note(test, "failed")


def main():
    report, arguments = sys.argv[1], sys.argv[2:]
    # As `python -m unittest` has it: the folder it is started in, not the one this file lies in.
    sys.path[0] = os.getcwd()
    runner = unittest.TextTestRunner(resultclass=Recorder)
    program = unittest.main(module=None, argv=["python -m unittest", *arguments], testRunner=runner, exit=False)
    result = program.result
    tests = [{"id": name, "ending": ending, "file": file} for name, (ending, file) in result.endings.items()]
    with open(report, "w", encoding="utf-8") as out:
        json.dump({"ran": result.testsRun, "tests": tests}, out)
    sys.exit(0 if result.wasSuccessful() else 1)


main()
