import json
import os
from uuid import uuid4

from celery.exceptions import TimeoutError

from lab.bench import WORKER_READY, TooLate, wait_until


def check(bench):
    worker = bench.worker("blurred", wait=False)
    folder = bench.folder / "photos"
    folder.mkdir()
    photos = [folder / f"{number:03}.jpg" for number in range(100)]
    for photo in photos:
        photo.write_bytes(b"blurred" if int(photo.stem) % 2 else b"sharp")
    pipe = photos[56]
    pipe.unlink()
    os.mkfifo(pipe)  # whoever reads this photo waits for this check
    from blurred import cancel, count, progress

    def send():
        """Send the task, and listen to each state that is written."""
        id = str(uuid4())
        told = bench.broker.client.pubsub(ignore_subscribe_messages=True)
        told.subscribe(f"celery-task-meta-{id}")
        try:
            return count.apply_async(([str(photo) for photo in photos],), task_id=id), told
        except TypeError as error:
            raise AssertionError(
                f"Celery does not send the task: {error}. With bind=True the task gets itself as "
                "its first argument. Without, it does not."
            ) from None

    def at_the_pipe(result):
        """Wait until the task reads the 57th photo. To close this lets it go on."""

        def reader():
            try:
                return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return -1 if result.failed() else None

        try:
            end = wait_until(reader, "it does not come to the 57th photo", timeout=30)
        except TooLate:
            end = -1
        assert end != -1, (
            f"The worker did not come to the 57th photo. The task says: {result.info!r}."
        )
        return end

    def outcome(result):
        try:
            found = result.get(timeout=30, propagate=False)
        except TimeoutError:
            raise AssertionError("The task does not come to its end.") from None
        assert isinstance(found, dict), f"The task should return a dictionary. It says: {found!r}."
        return found

    written = []

    def listen():
        """Take note of the states that were written, one at each call. True at the end."""
        if message := told.get_message():
            written.append(json.loads(message["data"])["status"])
        return "SUCCESS" in written

    result, told = send()
    worker.wait_for(WORKER_READY)
    end = at_the_pipe(result)
    said = progress(result.id)
    os.close(end)
    found = outcome(result)
    wait_until(listen, "the end of the task was not written")
    others = sorted(set(written) - {"COUNTING", "SUCCESS"})
    assert not others, f"You have written the state {others[0]}. Name your own state COUNTING."
    assert "of" not in found, (
        "You have written SUCCESS while the task was running. Whoever waits for it took that for "
        "the end. Name your own state COUNTING."
    )
    assert len(written) <= 12, (
        f"For 100 photos the task has written {len(written)} times to Redis. Every tenth photo is "
        "enough."
    )
    assert said != "no progress yet", (
        "The worker has seen 56 of 100 photos, and the page says: no progress yet. Which method of "
        "a task writes a state of your own?"
    )
    assert said == "50 of 100", f"The worker has seen 56 of 100 photos, and the page says: {said}."
    assert found == {"blurred": 50, "seen": 100}, f"50 of 100 are blurred. The task says: {found}."

    result, _ = send()
    end = at_the_pipe(result)
    cancel(result.id)
    os.close(end)
    seen = outcome(result).get("seen")
    assert seen != 100, (
        "It was cancelled after 56 photos, and went on to the end. Who looks at the key "
        f"cancelled:{result.id}?"
    )
    assert seen == 60, (
        f'It was cancelled after 56 photos and should stop before the 61st. It says "seen": {seen}.'
    )
