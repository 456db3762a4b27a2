def check(bench):
    from studio import app, newsletter, thumbnail

    assert isinstance(app.conf.task_routes, dict | None), (
        "app.conf.task_routes should be a dict: a name, a colon, and where that task goes."
    )
    letter, small = newsletter.delay("ada@example.org"), thumbnail.delay("harbour.jpg")
    lengths = bench.xray().lengths
    assert "mail" in lengths, (
        f"There is no queue `mail`. Redis holds these: {lengths}. The full name of the task is "
        f"{newsletter.name}."
    )
    assert lengths == {"celery": 1, "mail": 1}, (
        f"One message should be in `mail` and one in `celery`. Redis holds these: {lengths}."
    )
    bench.worker("studio", queues="mail")
    assert letter.get(timeout=60) == "sent to ada@example.org"
    assert small.state == "PENDING", "A worker for `mail` alone should leave the thumbnail alone."
