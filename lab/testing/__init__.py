"""For the tests of the course: what they share, and in which order they run."""
