"""Start the provider:  python -m provider"""

from pathlib import Path

import click

from provider.server import Provider


@click.command()
@click.option("--port", default=8900, show_default=True)
@click.option("--ledger", default="ledger.jsonl", show_default=True, type=Path)
@click.option("--fail", default=0.0, show_default=True, help="The share of requests that go wrong.")
@click.option("--slow", default=3.0, show_default=True, help="Seconds of a slow answer.")
@click.option("--seed", default=1, show_default=True, help="Other faults for another number.")
def main(port: int, ledger: Path, fail: float, slow: float, seed: int) -> None:
    """Charge cards at 127.0.0.1, and write each charge to a ledger."""
    server = Provider(port, ledger, fail, seed, slow)
    before = len(server.charges)
    try:
        click.echo(f"Charging at http://127.0.0.1:{port}. Ctrl-C stops it.")
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo(
            f"Asked {server.seen['requests']} times, charged {len(server.charges) - before} cards."
        )


if __name__ == "__main__":
    main()
