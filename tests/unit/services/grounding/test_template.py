import pytest

from headrace.messaging.errors import Invalid
from services.grounding.adapters.template import fill


def test_sources_go_into_the_slot_and_never_run_as_a_template() -> None:
    assert fill("Sources:\n{{ sources }}\n", "{{ 7 * 7 }} <b>") == "Sources:\n{{ 7 * 7 }} <b>"


@pytest.mark.parametrize(
    "template",
    ["{{ sources", "{{ secret }}", "{{ sources.__class__.__mro__[1].__subclasses__() }}", "{% include 'x' %}"],
)
def test_a_template_that_does_more_than_format_is_refused(template: str) -> None:
    with pytest.raises(Invalid) as refused:
        fill(template, "text")
    assert refused.value.field == "prepared.sources_template"


BRANCHES = "{% if sources %}\nUse these:\n{{ sources }}\n{% else %}\nNothing covers it.\n{% endif %}\n"


def test_a_template_may_say_what_to_do_without_sources_and_one_that_does_not_says_nothing() -> None:
    assert fill(BRANCHES, "[1] Weir") == "Use these:\n[1] Weir"
    assert fill(BRANCHES, "") == "Nothing covers it."
    assert fill("Sources:\n{{ sources }}\n", "") == ""
