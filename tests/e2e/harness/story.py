"""A story is a function that tells one behaviour; its name, with spaces, is what is reported."""

import sys
import time
import traceback

_stories = []


def story(function):
    _stories.append(function)
    return function


class Skipped(Exception):
    """This machine has not what the story needs."""


def skip_unless(holds, what):
    if not holds:
        raise Skipped(what)


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def check_equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r}, not {wanted!r}")


def check_in(part, whole, what):
    check(part in whole, f"{what}: {part!r} is not in {whole!r}")


def run_stories():
    """Runs every story of the file, all of them even if one fails, and ends the program."""
    failed = skipped = 0
    for function in _stories:
        name = function.__name__.replace("_", " ")
        began = time.monotonic()
        try:
            function()
            print(f"ok     {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Skipped as what:
            skipped += 1
            print(f"skipped {name}: there is no {what} here", flush=True)
        except Exception:  # a failed story must not hide the next one
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(_stories) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)
