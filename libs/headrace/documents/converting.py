"""One document's bytes to Markdown, by its format; whatever is wrong with it is `Invalid`, in a sentence."""

import re
from typing import assert_never

from headrace.documents.converted import Converted
from headrace.documents.formats import ConvertedType
from headrace.documents.limits import Limits
from headrace.messaging.errors import Invalid


def convert(content_type: ConvertedType, data: bytes, limits: Limits) -> Converted:
    """Blocks, and may die of a hostile document: call it where that harms nobody (`headrace.documents.conversion`).

    The readers are imported here: each is needed for one format only.
    """
    match content_type:
        case "text/html":
            from headrace.documents.web_page import read
        case "text/csv":
            from headrace.documents.table import read
        case "application/pdf":
            from headrace.documents.pdf import read
        case "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
            from headrace.documents.word import read
        case never:
            assert_never(never)
    converted = read(data, limits)
    text = re.sub(r"\n{3,}", "\n\n", converted.text.replace("\0", "")).strip()
    if not text:
        raise Invalid("there is no text in it", code="empty", field="content")
    if (size := len(text.encode())) > limits.text_bytes:
        raise Invalid(
            f"its text has {size} bytes, the limit is {limits.text_bytes}: split it", code="too_large", field="content"
        )
    return Converted(" ".join(converted.title.split()), f"{text}\n")
