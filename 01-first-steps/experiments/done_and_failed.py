"""# Can a task be done and failed at once?

## Question

A task prints a photo, then returns the set of colours that were used. JSON knows no sets. What
is the state of the task, and is there a print?

## Predict

- [ ] FAILURE, and nothing was printed: Celery checks the task before it runs.
- [x] FAILURE, and the photo was printed.
- [ ] SUCCESS: the set arrives as a list.

## Why

The worker runs the task first. Then it has to write the result as JSON, and that fails. The
state becomes FAILURE, although everything the task does to the world has been done. Whoever
sees FAILURE and sends it again prints twice.

## Fix

Return plain data: numbers, text, lists, dicts. Return nothing at all, with
`ignore_result=True`, where nobody reads the result. And never read FAILURE as "nothing
happened".
"""

MESSAGES = [
    "EncodeError: Object of type ... is not JSON serializable",
    "EncodeError: TypeError('Object of type ... is not JSON serializable')",
]

PRINT = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


@app.task
def print_photo(photo):
    with open(photo + ".printed", "w") as paper:
        paper.write("printed")
    return {"cyan", "magenta"}
""",
    )
}


def run(bench):
    bench.use(bench.copy(PRINT))
    bench.worker("tasks")
    from tasks import print_photo

    photo = bench.folder / "harbour.jpg"
    result = print_photo.delay(str(photo))
    error = result.get(propagate=False, timeout=60)
    printed = photo.with_name("harbour.jpg.printed").exists()
    message = f"{type(error).__name__}: {error}"
    rows = [{"sent": "print_photo", "state": result.state, "printed": printed, "message": message}]
    try:
        print_photo.delay({"harbour.jpg"})
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
    rows.append({"sent": "print_photo, a set as argument", "printed": False, "message": message})
    return rows


def claims(rows):
    returned, sent = rows
    return {
        "the state is FAILURE": returned["state"] == "FAILURE",
        "and the photo is printed": returned["printed"],
        "a set as an argument fails at the sender, before anything happens": "state" not in sent
        and "EncodeError" in sent["message"],
    }
