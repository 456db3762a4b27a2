from celery.exceptions import TimeoutError


def check(bench):
    bench.worker("prints", queues="prints")
    from prints import order

    try:
        done = order("harbour.jpg").get(timeout=3)
    except TimeoutError:
        ran = [run.task for run in bench.timeline().runs]
        raise AssertionError(
            f"The order did not come back. The worker ran {', '.join(ran) or 'nothing'}. "
            "Where does the next message wait?"
        ) from None
    assert done == "framed coloured cropped harbour.jpg", f"The order came back as {done!r}."
