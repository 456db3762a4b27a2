from celery.exceptions import TimeoutError
from celery.result import AsyncResult


def check(bench):
    bench.worker("count", concurrency=2)
    from count import count_all

    texts = ["one", "one two", "one two three", ""]
    try:
        receipt = count_all(texts)
    except AttributeError as error:
        assert "AsyncResult" not in str(error), (
            "You put a receipt where a signature belongs. count.delay(text) sends the task, "
            "count.s(text) is a call that has not been made yet."
        )
        raise
    assert not isinstance(receipt, dict), (
        "count_all returned a chord that has not been sent. What sends it?"
    )
    assert isinstance(receipt, AsyncResult), (
        f"count_all returned {receipt!r}. It should return the receipt of `total`, without waiting."
    )
    try:
        words = receipt.get(timeout=30)
    except TimeoutError:
        words = "not there after 30 s"
    assert words == 6, f"The four texts have 6 words, and the result is {words!r}."
    ran = [run.task for run in bench.timeline().runs]
    assert ran.count("count.count") == 4, f"`count` ran {ran.count('count.count')} times, not 4."
    assert ran.count("count.total") == 1, "The task `total` should add up the numbers, once."
