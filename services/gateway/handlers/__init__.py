"""The gateway at work: the desk that asks and follows, and the ways in to it."""
