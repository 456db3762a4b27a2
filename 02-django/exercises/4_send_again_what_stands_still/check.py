from lab.bench import wait_until


def check(bench):
    folder = bench.folder / "photos"
    for part in ("inbox", "ready", "failed"):
        (folder / part).mkdir(parents=True)
    for name in ("bay", "harbour", "moor", "pass", "ridge"):
        (folder / "inbox" / name).write_text("a photo")
    (folder / "ready" / "bay").write_text("developed bay")
    (folder / "failed" / "moor").write_text("too dark")

    from studio import resend

    def send():
        """Call `resend`. What it returned, and the photos that wait now."""
        try:
            count = resend(folder)
        except Exception as error:
            assert "serializable" not in str(error), (
                "A path cannot travel in a message. Send the folder and the name as text."
            )
            raise
        queue = bench.xray().queues.get("celery", [])
        sent = ([*args, *kwargs.values()] for args, kwargs, _ in (each.body for each in queue))
        return count, [str(words[-1]).rpartition("/")[2] for words in sent if words]

    count, names = send()
    assert names, "Three photos have no result, and nothing is in the queue. Who sends them?"
    assert "bay" not in names, "The photo bay is in ready/, and was sent again. It is done."
    assert "moor" not in names, (
        "The photo moor is in failed/, and was sent again. Its reason stays the same: it is done."
    )
    assert sorted(names) == ["harbour", "pass", "ridge"], (
        f"harbour, pass and ridge should be in the queue, once each. There are: {', '.join(names)}."
    )
    assert count == 3, f"Three photos were sent, and resend returned {count!r}."
    send()  # nobody has worked: they stand still, and go into the queue once more

    bench.worker("studio")
    ready = folder / "ready"
    wait_until(lambda: len(ended(bench)) == 6, "the worker does not end all messages")
    errors = "; ".join(bench.timeline().errors.values()) or "no error"
    assert len(list(ready.iterdir())) == 4, (
        f"A worker runs, and not all photos are ready. It says: {errors}."
    )
    bill = (folder / "chemicals.txt").read_text().split()
    twice = sorted({name for name in bill if bill.count(name) > 1})
    assert not twice, (
        f"Each message came twice, and so {', '.join(twice)} were developed twice. What should "
        "develop look at before it begins?"
    )
    count, names = send()
    assert (count, names) == (0, []), (
        f"Everything has a result now, and resend sent {', '.join(names)} again."
    )


def ended(bench):
    """What the worker has done: every message, also those with nothing to do."""
    return [run for run in bench.timeline().runs if run.ended is not None]
