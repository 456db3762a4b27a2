"""What each command of `lab` does and shows."""
