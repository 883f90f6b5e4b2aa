from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.wire import encoded
from headrace.v1.prompts_pb2 import PromptSubmitted


def test_a_message_names_itself_its_type_and_its_tenant() -> None:
    sent = encoded(Outgoing(topics.PROMPTS, "k", PromptSubmitted(text="Hi"), tenant="blue"))
    told = dict(sent.headers)
    assert (sent.key, sent.value) == (b"k", PromptSubmitted(text="Hi").SerializeToString())
    assert told[headers.CONTENT_TYPE] == b"application/x-protobuf; type=headrace.v1.PromptSubmitted"
    assert told[headers.TENANT] == b"blue"
    assert len(told[headers.MESSAGE_ID]) == 36


def test_what_is_passed_on_is_what_came_but_for_what_is_said_anew() -> None:
    came = (
        ("a", b"\xff"),
        (headers.ATTEMPT, b"1"),
        ("a", b"2"),
        (headers.MESSAGE_ID, b"\xfe"),
        (headers.ATTEMPT, b"9"),
    )
    sent = encoded(Outgoing("t", "", None, headers={headers.ATTEMPT: "3"}, raw=b"v", raw_key=b"\xff", raw_headers=came))
    assert (sent.key, sent.value) == (b"\xff", b"v")
    assert sent.headers == (("a", b"\xff"), ("a", b"2"), (headers.MESSAGE_ID, b"\xfe"), (headers.ATTEMPT, b"3"))


def test_keys_of_no_bytes_and_no_key_stay_apart_and_nothing_at_all_becomes_no_bytes() -> None:
    assert encoded(Outgoing("t", "", None, raw=b"v", raw_key=b"")).key == b""
    assert encoded(Outgoing("t", "", None, raw=b"v")).key is None
    assert encoded(Outgoing("t", "k", None)).value is None
    assert encoded(Outgoing("t", "", None)).value == b""
