"""Timelines as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.observe.timeline import ENDINGS, Timeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The palette of Okabe and Ito: told apart by readers with any colour vision, and in print.
COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2")
WAITING = "#999999"
EDGE = "#333333"  # of a bar that did not end well, and of its hatch


def figure(parts: Sequence[tuple[str, Timeline]]) -> Figure:
    """Several timelines above one another, on one axis of time: to compare them.

    Each part is a title and a timeline. Every one begins where its first task started.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    tasks = list(dict.fromkeys(task for _, timeline in parts for task in timeline.tasks))
    colours = {task: COLOURS[index % len(COLOURS)] for index, task in enumerate(tasks)}
    rows = [max(len(timeline.processes), 1) for _, timeline in parts]
    heights = [height for count in rows for height in (0.7, 0.45 * count)]
    picture = Figure(figsize=(10, sum(heights) + 0.75 * len(parts) + 0.9), layout="constrained")
    axes = picture.subplots(len(parts) * 2, 1, sharex=True, height_ratios=heights, squeeze=False)
    most = max((number for _, timeline in parts for _, number in timeline.waiting()), default=1)
    seen: set[str] = set()
    for index, (title, timeline) in enumerate(parts):
        above, below = axes[2 * index, 0], axes[2 * index + 1, 0]
        first = min((run.started for run in timeline.runs), default=0.0)
        levels = [(max(moment - first, 0.0), number) for moment, number in timeline.waiting()]
        levels = [(0.0, 0), *levels, (timeline.end - first, levels[-1][1] if levels else 0)]
        times, numbers = zip(*levels, strict=True)
        above.fill_between(times, numbers, step="post", color=WAITING, linewidth=0)
        above.set_ylabel("tasks\nwaiting", rotation=0, ha="right", va="center", fontsize=9)
        above.set_ylim(0, most * 1.15)
        above.yaxis.get_major_locator().set_params(integer=True, nbins=3)
        above.set_title(title, loc="left", fontsize=11, fontweight="bold")
        narrow = max(timeline.span for _, timeline in parts) / 400  # no room for a white edge
        for row, process in enumerate(timeline.processes):
            for run in timeline.of(process):
                sad = bool(ENDINGS.get(run.state, ENDINGS["cut off"])[1]) or run.redelivered
                width = timeline.end_of(run) - run.started
                state = run.state if run.state in ENDINGS else "cut off"
                seen.add(state)
                below.barh(
                    row,
                    width,
                    left=run.started - first,
                    height=0.72,
                    color=colours[run.task],
                    edgecolor=EDGE if sad else "white" if width > narrow else colours[run.task],
                    hatch=ENDINGS[state][1],
                    linewidth=2 if run.redelivered else 0.6,
                )
        names = [f"pool process {process}" for process in timeline.processes]
        below.set_yticks(range(len(names)), names, fontsize=9)
        below.set_ylim(len(names) - 0.4, -0.6)
        for axis in (above, below):
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(bottom=axis is axes[-1, 0])
    axes[-1, 0].set_xlabel("seconds since the first task started")
    axes[-1, 0].set_xlim(left=0)
    legend = [Patch(facecolor=colour, label=task) for task, colour in colours.items()]
    legend += [
        Patch(facecolor="white", edgecolor=EDGE, hatch=ENDINGS[state][1], label=ENDINGS[state][2])
        for state in ENDINGS
        if state in seen and ENDINGS[state][1]
    ]
    if any(run.redelivered for _, timeline in parts for run in timeline.runs):
        words = "delivered a second time"
        legend.append(Patch(facecolor="white", edgecolor=EDGE, linewidth=2, label=words))
    picture.legend(handles=legend, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return picture
