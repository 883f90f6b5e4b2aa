"""No logs: a flood of mutants is a flood of lines about them."""

import logging

import structlog


def silence() -> None:
    """Only what the attack itself says."""
    logging.disable(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False
    )
