"""What outlives one message and is shared between services: conversation memory and masks, in Redis."""
