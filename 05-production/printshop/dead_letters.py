"""Given: what could not be done:  python -m printshop.dead_letters

Celery on Redis has no dead-letter queue: a task that has used up its tries is gone. So the order
keeps why, and it can be tried again when the reason is gone.
"""

import time

import click
from celery.signals import task_failure

from printshop import orders
from printshop.tasks import NEXT, proceed


# In a worker this is called for every failure: an exception, a time limit, a process that died.
@task_failure.connect
def keep(sender, exception, args, **rest) -> None:
    """Write down that an order has failed, and why. What is done already, has not failed."""
    if sender in NEXT.values() and NEXT.get(orders.state(args[0])) == sender:
        orders.record(args[0], "failed", step=sender.name, reason=repr(exception))


@click.group()
def main() -> None:
    """The orders that have failed."""


@main.command("list")
def show() -> None:
    """Show them, with the step and the reason."""
    for order_id in orders.all_ids():
        if why := orders.facts(order_id, "failed"):
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(why["at"]))
            click.echo(f"{order_id}  {when}  {why['step']}: {why['reason']}")


@main.command()
@click.argument("order_id")
def replay(order_id: str) -> None:
    """Try an order again, from the step at which it failed."""
    try:
        path = orders.folder_of(order_id) / "failed.json"
        path.unlink()
    except (KeyError, FileNotFoundError):
        raise click.ClickException(f"{order_id} has not failed. See: list") from None
    click.echo(f"{order_id} goes on from {orders.state(order_id)!r}.")
    proceed(order_id)


if __name__ == "__main__":
    main()
