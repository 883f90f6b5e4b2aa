"""The seven services of Headrace; none imports another."""
