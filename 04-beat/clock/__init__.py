"""The studio's clock: what runs every five seconds, every night, on Sundays at 17:03."""
