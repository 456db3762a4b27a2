def check(bench):
    worker = bench.worker("captions")
    assert ". captions.caption" in worker.log(), (
        "The worker does not list captions.caption under [tasks]. "
        "Which line makes a function a task?"
    )
    from captions import caption

    result = caption.delay("photos/harbour.jpg").get(timeout=5)
    assert result == "HARBOUR", f"The result is {result!r}, and should be 'HARBOUR'."
