"""The public names of the client library."""

import subprocess
import sys

import pytest

import headrace.client


@pytest.mark.parametrize("name", headrace.client.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(headrace.client, name).__doc__ or name == "Event"


def test_a_name_that_is_none_is_said() -> None:
    with pytest.raises(AttributeError, match="'Klient'"):
        _ = headrace.client.Klient


def test_what_is_not_used_is_not_imported() -> None:
    """Commands that only read files import the package as well."""
    probe = "import sys, headrace.client; print({'websockets', 'aiokafka'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
