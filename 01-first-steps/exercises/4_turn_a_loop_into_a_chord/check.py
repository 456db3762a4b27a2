def check(bench):
    bench.worker("count", concurrency=2)
    from count import count_all

    texts = ["one", "one two", "one two three", ""]
    receipt = count_all(texts)
    assert hasattr(receipt, "get"), (
        f"count_all returned {receipt!r}. It should return the receipt of `total`, without waiting."
    )
    words = receipt.get(timeout=5)
    assert words == 6, f"The four texts have 6 words, and the result is {words!r}."
    ran = [run.task for run in bench.timeline().runs]
    assert ran.count("count.count") == 4, f"`count` ran {ran.count('count.count')} times, not 4."
    assert ran.count("count.total") == 1, "The task `total` should add up the numbers, once."
