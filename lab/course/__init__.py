"""What the course consists of: experiments, exercises, the error catalogue."""
