"""Send again what stands still:  python -m printshop.reconcile --older-than 60

A message can be lost in more ways than one: between two processes, with the memory of Redis, by a
mistake. The order is still on the disk. So somebody looks there, every minute.
"""

import time

import click

from printshop import orders
from printshop.tasks import proceed


def reconcile(older_than: float) -> list[str]:
    """Send the next task of each order that stands still for so many seconds. Return their ids."""
    standing = list(orders.unfinished(older_than))
    for order_id in standing:
        click.echo(f"{order_id} stood still at {orders.state(order_id)!r}: sending again.")
        orders.put_off(order_id, 0)  # its new message has as much time as the last one
        proceed(order_id)
    return standing


@click.command()
@click.option("--older-than", default=60.0, help="Seconds without anything new.")
@click.option("--every", default=0.0, help="Look again after so many seconds, until Ctrl-C.")
def main(older_than: float, every: float) -> None:
    """Send the next task of each order that stands still."""
    while True:
        reconcile(older_than)
        if not every:
            return
        time.sleep(every)


if __name__ == "__main__":
    main()
