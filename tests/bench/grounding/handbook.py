"""Questions that `infra/knowledge` answers, each with its document, and questions that nothing there answers."""

ANSWERED = {
    "What is a dead letter?": "dead-letters.md",
    "How do I put a failed message back on its topic?": "dead-letters.md",
    "Which lane does the classification of reviews use?": "topics-and-lanes.md",
    "What is a routing slip?": "topics-and-lanes.md",
    "When is an offset committed?": "delivery.md",
    "What happens on SIGTERM?": "delivery.md",
    "How long may a chat prompt take before it expires?": "deadlines-and-cancellation.md",
    "What does the gateway do when there is too much load?": "deadlines-and-cancellation.md",
    "How are e-mail addresses in a prompt handled?": "safety-and-privacy.md",
    "Can generated text be shown before it was judged?": "safety-and-privacy.md",
    "Is a mask map ever sent over Kafka?": "safety-and-privacy.md",
    "My connection dropped in the middle of the answer, what now?": "streaming-and-resume.md",
    "What belongs to the key of the response cache?": "models-and-caching.md",
    "How do I add a new model?": "models-and-caching.md",
    "How can I delete a document from the knowledge base?": "knowledge-and-citations.md",
    "what happens if qdrant is down": "knowledge-and-citations.md",
}
UNANSWERED = (
    "What is the capital of France?",
    "Write a poem about the sea",
    "hello",
    "How do I bake sourdough bread?",
    "Who won the world cup in 1998?",
    "thanks, that was great",
    "What is 17 times 23?",
    "Tell me a joke about cats",
    "What's the weather in Berlin tomorrow?",
    "Translate 'good morning' to Spanish",
)
