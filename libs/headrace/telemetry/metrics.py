"""Every metric of every service, named here and nowhere else; the ops server of each process exposes `REGISTRY`.

Labels are closed sets (services, stages, statuses, rules, models): never a turn, a tenant or a user, so that a million
of those stay one series.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

REGISTRY: Final = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

# From a warm cache's hit (1 ms) to the longest deadline of an interactive turn.
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

# Delivery. `outcome`: completed, dead_lettered, or the status with which the turn ended (refused, expired, …).
MESSAGES: Final = Counter(
    "headrace_messages_total", "Messages handled.", ["service", "stage", "outcome"], registry=REGISTRY
)
STAGE_WORK: Final = Histogram(
    "headrace_stage_work_seconds",
    "Time that a handler took for one message.",
    ["service", "stage"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
STAGE_QUEUE: Final = Histogram(
    "headrace_stage_queue_seconds",
    "Time that a message waited on its topic before its handler began.",
    ["service", "stage"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
IN_FLIGHT: Final = Gauge("headrace_in_flight", "Messages fetched and not yet finished.", ["service"], registry=REGISTRY)
# `where`: in_place, topic.
RETRIES: Final = Counter(
    "headrace_retries_total", "Tries after the first.", ["service", "stage", "where"], registry=REGISTRY
)
# `error`: the class of the error.
DEAD_LETTERS: Final = Counter(
    "headrace_dead_letters_total", "Messages given up.", ["service", "stage", "error"], registry=REGISTRY
)
BREAKER_OPEN: Final = Gauge(
    "headrace_breaker_open", "1 while a stage's flood breaker is open.", ["service", "stage"], registry=REGISTRY
)
COMMITS: Final = Counter("headrace_commits_total", "Offset commits sent to the broker.", ["service"], registry=REGISTRY)
REBALANCES: Final = Counter(
    "headrace_rebalances_total", "Times that partitions were taken away or given.", ["service"], registry=REGISTRY
)
HELD_OFFSETS: Final = Gauge(
    "headrace_held_offsets",
    "Offsets that are finished and wait for an earlier one before they may be committed.",
    ["service"],
    registry=REGISTRY,
)

# What a client notices. `status`: answered, refused, failed, cancelled, expired.
TURNS: Final = Counter("headrace_turns_total", "Turns answered, by status.", ["status", "pipeline"], registry=REGISTRY)
TIME_TO_FIRST_TOKEN: Final = Histogram(
    "headrace_time_to_first_token_seconds", "From ask to the first text shown.", buckets=_SECONDS, registry=REGISTRY
)
TURN_SECONDS: Final = Histogram(
    "headrace_turn_seconds", "From ask to done.", ["status"], buckets=_SECONDS, registry=REGISTRY
)
OPEN_SOCKETS: Final = Gauge("headrace_open_sockets", "Websockets that are open now.", registry=REGISTRY)
# `rule`: the policy rule or admission limit that refused.
REFUSALS: Final = Counter(
    "headrace_refusals_total", "Turns refused by policy or at admission.", ["rule"], registry=REGISTRY
)
TRIAL_VERDICTS: Final = Counter(
    "headrace_trial_verdicts_total",
    "Verdicts of policies on trial, which changed nothing.",
    ["policy", "rule", "action"],
    registry=REGISTRY,
)
# From the moment that a question was read to that at which its refusal was handed to the socket.
REFUSAL_SECONDS: Final = Histogram(
    "headrace_refusal_seconds",
    "Time that a refusal at admission took.",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.5),
    registry=REGISTRY,
)
WAITING: Final = Gauge("headrace_waiting_turns", "Turns let in that have no word yet.", registry=REGISTRY)
WAITING_LIMIT: Final = Gauge("headrace_waiting_turns_limit", "How many of them there may be now.", registry=REGISTRY)
# `rating`: up, down, or 1 to 5.
FEEDBACK: Final = Counter("headrace_feedback_total", "Ratings received.", ["rating"], registry=REGISTRY)

# The model. `kind`: prompt, completion.
TOKENS: Final = Counter(
    "headrace_tokens_total", "Tokens read and written by models.", ["kind", "model"], registry=REGISTRY
)
TIME_PER_OUTPUT_TOKEN: Final = Histogram(
    "headrace_time_per_output_token_seconds",
    "Time between two tokens of one answer.",
    ["model"],
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0),
    registry=REGISTRY,
)
# `outcome`: hit, miss, joined (waited for the same answer in the making), bypass, unavailable.
CACHE_REQUESTS: Final = Counter(
    "headrace_cache_requests_total", "Look-ups in the response cache.", ["outcome"], registry=REGISTRY
)
# Model time that nobody has anything of, in full for an attempt whose answer never arrived, from the moment that the
# model began with it (not the wait for a slot) until its slot was free. `cause`:
#   cancelled   whoever asked gave up before the answer was complete; what was streamed until then counts as well
#   expired     the deadline passed before the answer was complete
#   superseded  a later attempt at the same turn took over, or the work was handed back in a rebalance or a drain
#   failed      the engine or the log failed in mid-answer, and the next attempt begins anew
#   policy      of an answer that the output gate stopped, the part behind what it showed: the time from request to end,
#               a wait for a slot included, by the share of characters that were not shown
# Not counted: a process that was killed, and a scoring that was interrupted, which is one step at most. A message that
# is delivered twice is counted twice.
WASTED_GENERATION_SECONDS: Final = Counter(
    "headrace_wasted_generation_seconds_total",
    "Model time spent on answers, or parts of answers, that nobody received.",
    ["model", "cause"],
    registry=REGISTRY,
)

# Telemetry about itself. `exporter`: otlp, sqlite.
SPANS_DROPPED: Final = Counter(
    "headrace_spans_dropped_total", "Spans lost because an exporter was slow or gone.", ["exporter"], registry=REGISTRY
)
