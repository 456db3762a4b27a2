"""What a bench has seen: records, timelines, pictures of them, and an X-ray of Redis."""
