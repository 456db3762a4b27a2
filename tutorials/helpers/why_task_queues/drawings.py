"""The pictures of this notebook: how long visitors wait, and how many orders do."""

import io

from IPython.display import Image
from matplotlib.figure import Figure
from visitors import p95

from lab.observe.drawing import COLOURS

GREY, ORANGE, BLUE = "#777777", COLOURS[1], COLOURS[5]
LOWEST, HIGHEST = 0.0005, 20.0  # seconds
TICKS = {0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1.0: "1 s", 10.0: "10 s"}
BINS = [LOWEST * 10 ** (step / 10) for step in range(47)]  # ten for each power of ten


def image(figure, alt):
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=140, metadata={"Software": None})
    return Image(drawn.getvalue(), width=1000, alt=alt)


def words(seconds):
    """A time with two digits at least: "4.2 s", "38 ms", "3.1 ms"."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def distributions(rows, who, note=""):
    """How long visitors waited, a row for each measurement: {title: (colour, seconds)}."""
    figure = Figure(figsize=(10, 1.75 * len(rows) + 0.7), layout="constrained")
    every = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (title, (colour, times)) in zip(every, rows.items(), strict=True):
        inside = [min(max(each, LOWEST), HIGHEST) for each in times]
        axes.hist(inside, bins=BINS, color=colour, edgecolor="white", linewidth=0.6)
        limit = p95(times)
        axes.axvline(limit, color="black", linestyle="--", linewidth=1.3)
        left = limit > 0.3
        axes.annotate(
            f"p95: {words(limit)}",
            (limit, 0.97),
            xycoords=("data", "axes fraction"),
            xytext=(-5 if left else 5, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize=11,
        )
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        axes.set_ylabel(who)
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
        axes.spines[["top", "right"]].set_visible(False)
    last = every[-1]
    last.set(xscale="log", xlim=(LOWEST, HIGHEST))
    last.set_xticks(list(TICKS), list(TICKS.values()))
    last.set_xlabel("time until the answer: ten times as long from one number to the next")
    if note:
        figure.supxlabel(note, fontsize=9, color="#333333", x=0.02, ha="left")
    said = "; ".join(f"{title}: p95 {words(p95(times))}" for title, (_, times) in rows.items())
    return image(figure, f"How long the {who} waited. {said}.")


def staircase(ups, downs):
    """How many are there, when some come and some go: (times, numbers)."""
    steps = sorted([(moment, 1) for moment in ups] + [(moment, -1) for moment in downs])
    times, numbers, total = [0.0], [0], 0
    for moment, change in steps:
        total += change
        times.append(moment)
        numbers.append(total)
    return times, numbers


def backlogs(rows):
    """Orders that wait, and visitors who do: {title: (orders, moments at which each was printed)}.

    `orders` are visits. The moments are readings of `time.monotonic`.
    """
    figure = Figure(figsize=(10, 2.3 * len(rows) + 0.9), layout="constrained")
    every = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (title, (orders, printed)) in zip(every, rows.items(), strict=True):
        start = min(order.came for order in orders)
        came = [order.came - start for order in orders]
        answered = [order.answered - start for order in orders]
        times, numbers = staircase(came, [moment - start for moment in printed])
        label = "orders that are not printed yet"
        axes.fill_between(times, numbers, step="post", color=COLOURS[0], alpha=0.6, label=label)
        times, numbers = staircase(came, answered)
        label = "visitors who wait for the page's answer"
        axes.step(times, numbers, where="post", color="#B34700", linewidth=2.2, label=label)
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        axes.set_ylabel("how many")
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
        axes.spines[["top", "right"]].set_visible(False)
    every[-1].set(xlabel="seconds since the first order", xlim=(0, None), ylim=(0, None))
    handles, labels = every[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return image(
        figure,
        "With the work in the request, as many visitors wait as there are orders. With a task the "
        "same orders wait, and hardly a visitor.",
    )
