"""Conversations about `infra/knowledge`, written for this: a question, one that leans on it, the document that answers.

The rule that tells a follow-up was tuned on these; they do not count as a measurement of it.
"""

FOLLOW_UPS = (
    ("What is a dead letter?", "How do I put it back on its topic?", "dead-letters.md"),
    ("What is a dead letter?", "And what does one hold?", "dead-letters.md"),
    ("What is a routing slip?", "Who reads it?", "topics-and-lanes.md"),
    ("Which lanes are there?", "What are they for?", "topics-and-lanes.md"),
    ("When is an offset committed?", "Why not before?", "delivery.md"),
    ("What happens on SIGTERM?", "And on a rebalance?", "delivery.md"),
    ("How long may a chat prompt take before it expires?", "What happens then?", "deadlines-and-cancellation.md"),
    ("How are e-mail addresses in a prompt handled?", "Where is that kept?", "safety-and-privacy.md"),
    ("My connection dropped in the middle of the answer, what now?", "Does it cost me anything?",
     "streaming-and-resume.md"),
    ("What belongs to the key of the response cache?", "Is it ever wrong?", "models-and-caching.md"),
    ("How do I add a new model?", "Where do its weights come from?", "models-and-caching.md"),
    ("How can I delete a document from the knowledge base?", "How soon is that seen?", "knowledge-and-citations.md"),
)  # fmt: skip
OF_THEIR_OWN = (
    "What is a dead letter?",
    "How do I put a failed message back on its topic?",
    "Which lane does the classification of reviews use?",
    "When is an offset committed?",
    "What happens on SIGTERM?",
    "What does the gateway do when there is too much load?",
    "Can generated text be shown before it was judged?",
    "Is there a limit on the size of a document?",
    "Which model is the default for embeddings?",
    "How do I know that a message was lost?",
    "what happens if qdrant is down",
    "hello",
)
