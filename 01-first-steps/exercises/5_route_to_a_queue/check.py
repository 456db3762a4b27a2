def check(bench):
    from studio import newsletter, thumbnail

    letter, small = newsletter.delay("ada@example.org"), thumbnail.delay("harbour.jpg")
    lengths = bench.xray().lengths
    assert "mail" in lengths, f"There is no queue `mail`. Redis holds these: {lengths}."
    assert lengths == {"celery": 1, "mail": 1}, (
        f"One message should be in `mail` and one in `celery`. Redis holds these: {lengths}."
    )
    bench.worker("studio", queues="mail")
    assert letter.get(timeout=5) == "sent to ada@example.org"
    assert small.state == "PENDING", "A worker for `mail` alone should leave the thumbnail alone."
