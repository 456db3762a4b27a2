"""# Everything dies, all day. Which orders are lost, and which are charged twice?

## Question

Customers order prints. The payment provider fails one call in five: it is slow, it answers 500, it
charges and hangs up. Every second a pool process or a whole worker is killed by SIGKILL, and twice
the broker. How many orders are lost, and how many are charged twice?

## Predict

- [ ] A few are lost: a message that a dead worker had taken is gone.
- [x] None is lost, and none is charged twice.
- [ ] None is lost, and a few are charged twice: each has to be tried again.

## Why

No setting of a queue does this alone. An order is a file before the shop says 202. Whatever becomes
of its messages, the reconciler looks at the files, and sends again what stands still. So nothing is
lost.

It also means that a step runs twice now and then, or twice at the same time. The provider charges
once for each idempotency key, and the key is the number of the order, in every attempt. A print has
a name, and a name is printed once. So nothing happens twice.

## Fix

Keep what must not be lost before you queue it. Give each step a key, so that to repeat it does no
harm. Then look, now and then, for what stands still.

`lab run 05/soak --orders 1000 --seed 2` makes the day longer, or another one.
"""

BROKER = {"appendonly": "yes", "appendfsync": "always"}  # what it has taken survives its death


def run(bench, orders=200, seed=1):
    from experiments.shared.chaos import bad_day

    account = bad_day(bench, orders=orders, seed=seed)
    return [{"what": what, "how many": number} for what, number in account.items()]


def claims(rows):
    found = {row["what"]: row["how many"] for row in rows}
    killed = found["killed: pool process"] + found["killed: worker"]
    ends = [found[what] for what in ("charged", "printed", "confirmed")]
    return {
        "processes were killed, and the broker twice": killed > 3 and found["killed: broker"] == 2,
        "every customer got a 202": found["not accepted"] == 0,
        "no order is lost": found["lost"] == 0,
        "none is charged twice": found["charged twice"] == 0,
        "each is charged, printed and confirmed": ends == [found["accepted"]] * 3,
        "the provider was asked more often than it charged": found["asked the provider"]
        > found["charged"],
    }
