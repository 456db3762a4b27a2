from lab.bench import wait_until


def check(bench):
    bench.worker("prints", queues="prints")
    from prints import order

    result = order("harbour.jpg")

    def nobody_reads_it():
        """Whether a message is in a queue that this worker does not read."""
        return any(n for queue, n in bench.xray().lengths.items() if queue != "prints")

    wait_until(lambda: result.ready() or nobody_reads_it(), "the order does not come back")
    ran = [run.task for run in bench.timeline().runs]
    assert result.ready(), (
        f"The order did not come back. The worker ran {', '.join(ran) or 'nothing'}. "
        "Where does the next message wait?"
    )
    done = result.result
    assert done == "framed coloured cropped harbour.jpg", f"The order came back as {done!r}."
