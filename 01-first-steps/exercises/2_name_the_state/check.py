def check(bench):
    bench.worker("states")
    from states import ANSWERS, divide, send

    results = send()
    divide.delay(1, 1).get(timeout=60)  # the worker takes tasks in order: now all others are done
    states = {call: result.state for call, result in results.items()}
    assert set(ANSWERS) == set(states), "Keep the four calls in ANSWERS as they were."
    wrong = [call for call in states if ANSWERS[call] != states[call]]
    assert not wrong, (
        f"{len(wrong)} of your four answers {'is' if len(wrong) == 1 else 'are'} not what Celery "
        f"says. Look at {wrong[0]}: you wrote {ANSWERS[wrong[0]]!r}."
    )
