"""The coming runs as a picture: a row for each day, from midnight to midnight."""

from __future__ import annotations

from datetime import datetime, timedelta

from matplotlib.figure import Figure

from lab.schedule.plan import Plan

# Okabe and Ito's colours, which the colour-blind can tell apart, and a shape for each.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
SHAPES = ["o", "s", "^", "D", "v", "P", "X"]


def draw(plan: Plan) -> Figure:
    """A figure of a plan. `figure.savefig(path)` writes it."""
    first, last = plan.start.date(), (plan.end - timedelta(seconds=1)).date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    figure = Figure(figsize=(9, 1.6 + 0.27 * len(days)), layout="constrained", dpi=110)
    axes = figure.add_subplot()
    for row, day in enumerate(days):
        if day.weekday() >= 5:
            axes.axhspan(row - 0.5, row + 0.5, color="0.94")
        if (hours := plan.hours(datetime.combine(day, datetime.min.time()))) != 24:
            axes.text(23.9, row, f"{hours:g} hours", ha="right", va="center", color="0.4")
    names = list(dict.fromkeys(entry.name for _, entry in plan.runs))
    for number, name in enumerate(names):
        runs = [run for run, entry in plan.runs if entry.name == name]
        axes.scatter(
            [run.hour + run.minute / 60 + run.second / 3600 for run in runs],
            [(run.date() - first).days for run in runs],
            color=COLOURS[number % len(COLOURS)],
            marker=SHAPES[number % len(SHAPES)],
            label=name,
            zorder=3,
        )
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3), [f"{hour}:00" for hour in range(0, 25, 3)])
    axes.set_ylim(len(days) - 0.5, -0.5)
    axes.set_yticks(range(len(days)), [f"{day:%a %d %b}" for day in days], family="monospace")
    axes.grid(axis="x", color="0.85")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"What runs when ({plan.zone})", loc="left")
    if names:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.06), ncols=4, frameon=False)
    if plan.frequent:
        all_the_time = "\n".join(f"{name}: {often}" for name, often in plan.frequent.items())
        axes.set_xlabel(f"not drawn:\n{all_the_time}", loc="left", color="0.3")
    return figure
