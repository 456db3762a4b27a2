"""# Which task of this chain fails?

## Question

`print_photo(photo)` prints. `tell(customer)` writes to the customer. One after the other:
`chain(print_photo.s("harbour.jpg"), tell.s("Ada"))`. Is the photo printed, is Ada told?

## Predict

- [ ] Both: each task gets the arguments that I gave it.
- [ ] The photo is printed: SUCCESS. Then `tell` runs and fails.
- [x] The photo is printed, but its task says FAILURE. `tell` was never sent.

## Why

A chain passes on: each task gets the result of the one before as its first argument, in front
of its own. So this is `tell("harbour.jpg on paper", "Ada")`, one argument too many. Celery
checks arguments where a task is sent, and the next task of a chain is sent by the task before,
as its last act. The error is raised there, and blames the task that has done its work.

`link=` passes on in the same way: `add.apply_async((1, 2), link=add.s(3))` makes 6. But there
the handle belongs to the first task, and returns 3. That of a chain belongs to the last one.

## Fix

`tell.si("Ada")`: an immutable signature takes what you gave it and nothing else. Or give the
task a place for what came before, as its first argument. If you want the result of the last
task, use a chain, not `link=`. And never read FAILURE as "nothing happened".
"""

from celery import chain

MESSAGES = ["TypeError: ...() takes 1 positional argument but 2 were given"]

PRINT_AND_TELL = {
    "tasks.py": (
        "    return x + y\n",
        """    return x + y


@app.task
def print_photo(photo):
    with open(photo + ".printed", "w") as paper:
        paper.write("printed")
    return photo + " on paper"


@app.task
def tell(customer):
    return "told " + customer
""",
    )
}


def run(bench):
    bench.use(bench.copy(PRINT_AND_TELL))
    bench.worker("tasks")
    from tasks import add, print_photo, tell

    rows = []
    for how, told in (("tell.s", tell.s("Ada")), ("tell.si", tell.si("Ada"))):
        photo = bench.folder / f"{how}.jpg"
        last = chain(print_photo.s(str(photo)), told).delay()
        row = {"how": f"chain, {how}"}
        try:
            row["result"] = last.get(timeout=60)
        except TypeError as error:
            row["message"] = f"{type(error).__name__}: {error}"
        row["printed"] = photo.with_name(f"{photo.name}.printed").exists()
        row["first task"] = last.parent.state
        row["second sent"] = last.id in bench.timeline().sent
        rows.append(row)

    rows.append(
        {"how": "chain, add.s(3)", "result": chain(add.s(1, 2), add.s(3))().get(timeout=60)}
    )
    first = add.apply_async((1, 2), link=add.s(3))
    rows.append({"how": "link=add.s(3)", "result": first.get(timeout=60)})
    rows.append({"how": "the linked task", "result": first.children[0].get(timeout=60)})
    return rows


def claims(rows):
    broken, immutable, chained, handle, linked = rows
    return {
        "the photo is printed, and its task says FAILURE": broken["printed"]
        and broken["first task"] == "FAILURE",
        "tell was never sent": not broken["second sent"] and immutable["second sent"],
        "with tell.si Ada is told": immutable.get("result") == "told Ada",
        "add.s(3) in a chain adds to what came before": chained["result"] == 6,
        "with a link the handle returns the first result": handle["result"] == 3,
        "although the linked task has made 6 of it": linked["result"] == 6,
    }
