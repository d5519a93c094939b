"""One test for many cases, where each of them is too small to be a test of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

Test = Callable[..., None]


def for_each(names: str | tuple[str, ...], values: Iterable[Any]) -> Callable[[Test], Test]:
    """Run a test for every value, in one go; when some fail, all of them are listed.

    It is called like ``pytest.mark.parametrize`` and may stand above another one of its kind: then the test runs for
    every combination. Fixtures are shared by all cases.
    """
    keys = (names,) if isinstance(names, str) else names
    cases = [dict(zip(keys, value if len(keys) > 1 else (value,), strict=True)) for value in values]
    assert cases, f"no case of {names}"

    def decorate(test: Test) -> Test:
        @wraps(test)
        def every(*args: Any, **fixtures: Any) -> None:
            failures = [(case, error) for case in cases if (error := _failure(test, args, {**fixtures, **case}))]
            if failures:
                lines = [f"{case}: {error}" for case, error in failures]
                raise AssertionError(f"{len(lines)} of {len(cases)} cases fail\n" + "\n".join(lines)) from failures[0][
                    1
                ]

        signature = inspect.signature(test)
        rest = [p for name, p in signature.parameters.items() if name not in keys]
        assert len(rest) == len(signature.parameters) - len(keys), f"{test.__name__} does not take {keys}"
        every.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]
        return every

    return decorate


def _failure(test: Test, args: tuple[Any, ...], given: dict[str, Any]) -> AssertionError | None:
    try:
        test(*args, **given)
    except AssertionError as error:
        return error
    except Exception as error:
        error.add_note(f"in the case {given}")
        raise
    return None
