"""What experiments and tests of this chapter share. It is no part of the example."""
