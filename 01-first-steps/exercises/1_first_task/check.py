import re


def check(bench):
    worker = bench.worker("captions")
    tasks = re.findall(r"^  \. (\S+)$", worker.log(), re.M)
    assert tasks, "The worker lists no task when it starts. Which line makes a function a task?"
    assert "captions.caption" in tasks, (
        f"The worker lists the task {', '.join(tasks)}. It should list captions.caption."
    )
    from captions import caption

    result = caption.delay("photos/harbour.jpg").get(timeout=60)
    assert result == "HARBOUR", f"The result is {result!r}, and should be 'HARBOUR'."
