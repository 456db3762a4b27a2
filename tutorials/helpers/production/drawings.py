"""The pictures of this notebook."""

import io

from IPython.display import Image
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from lab.observe.drawing import COLOURS, EDGE

# From the best fate to the worst: what the experiments say, the colour, the colour of the words.
# Light and dark tell them apart as well, for readers with any colour vision, and in print.
FATES = {
    "is done": ("#0072B2", "white"),
    "is run again": ("#56B4E9", "black"),
    "is in the queue": ("#D3EAF8", "black"),
    "is in unacked": ("#F0E442", "black"),
    "fails": ("#E69F00", "black"),
    "is lost": ("#222222", "white"),
}
TAKEN, REFUSED = COLOURS[5], COLOURS[1]
LINES = ((COLOURS[3], "s"), (COLOURS[2], "o"), ("#222222", "^"))  # a herd's colour, and its end
BULK, URGENT = "#BBBBBB", "#D55E00"


def image(figure, alt):
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=120, metadata={"Software": None})
    return Image(drawn.getvalue(), width=1000, alt=alt)


def bare(axes):
    axes.spines[["top", "right"]].set_visible(False)


def matrix(ends, ways, fates):
    """The kill matrix: a row for each way to die, a column for each way to acknowledge.

    `fates` gives for an end and a way what became of A and of B, as the experiments say it.
    """
    figure = Figure(figsize=(11, 0.62 * len(ends) + 1.2), layout="constrained")
    axes = figure.subplots()
    title = "What becomes of A, which is running, and of B, which is reserved"
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=10)
    for row, end in enumerate(ends):
        for column, way in enumerate(ways):
            for half, (order, fate) in enumerate(zip("AB", fates[end, way], strict=True)):
                colour, ink = FATES[fate]
                place = (column + 0.03 + half * 0.47, row + 0.08)
                axes.add_patch(Rectangle(place, 0.47, 0.84, facecolor=colour, edgecolor="white"))
                words = f"{order} {fate.replace(' in ', ' in' + chr(10), 1)}"
                middle = (place[0] + 0.235, row + 0.5)
                axes.text(*middle, words, color=ink, ha="center", va="center", fontsize=9)
    axes.set(xlim=(0, len(ways)), ylim=(len(ends), 0))
    columns = [way.replace(" + ", "\n+ ") for way in ways]
    axes.set_xticks([column + 0.5 for column in range(len(ways))], columns)
    axes.set_yticks(
        [row + 0.5 for row in range(len(ends))], [end.replace(", ", ",\n") for end in ends]
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    said = "; ".join(
        f"{end}, {way}: A {a}, B {b}" for (end, way), (a, b) in fates.items() if end in ends
    )
    return image(figure, f"The kill matrix. {said}.")


def herds(measured):
    """When the provider was asked, and what it said: {title: [(seconds, order, taken)]}.

    Below, how many it had taken at each moment, and how many it could have taken.
    """
    last = max(asked[-1][0] for asked in measured.values())
    bins = [0.25 * number for number in range(int(last * 4) + 2)]
    figure = Figure(figsize=(10, 1.75 * len(measured) + 3.1), layout="constrained")
    heights = [1.5] * len(measured) + [2.2]
    *rows, below = figure.subplots(len(measured) + 1, 1, sharex=True, height_ratios=heights)
    most = 0
    for axes, (title, asked) in zip(rows, measured.items(), strict=True):
        times = [[at for at, _, taken in asked if taken is which] for which in (True, False)]
        labels = ["taken", "refused: 429"]
        drawn, *_ = axes.hist(times, bins, stacked=True, color=[TAKEN, REFUSED], label=labels)
        most = max(most, *drawn[-1])
        axes.set_title(
            f"{title}: asked {len(asked)} times, {len(times[0])} of 200 orders taken",
            loc="left",
            fontsize=11,
            fontweight="bold",
        )
        axes.set_ylabel("requests in\n0.25 s")
        bare(axes)
    for axes in rows:
        axes.set_ylim(0, most * 1.05)
    rows[0].legend(loc="upper center", frameon=False)
    for (title, asked), (colour, end) in zip(measured.items(), LINES, strict=False):
        times = [0.0, *(at for at, _, taken in asked if taken)]
        numbers = range(len(times))
        look = {"color": colour, "marker": end, "markevery": [-1], "markersize": 7}
        below.step(times, numbers, where="post", linewidth=2, label=title, **look)
    possible = range(int(last) + 2)
    below.step(
        possible,
        [min(20 * (second + 1), 200) for second in possible],
        ":",
        where="post",
        color=EDGE,
        label="what the provider could take",
    )
    below.set(xlabel="seconds since the first request", ylabel="orders taken", ylim=(0, None))
    below.set_xlim(0, last + 0.25)
    below.legend(loc="lower right", frameon=False)
    bare(below)
    said = "; ".join(
        f"{title}: {sum(taken for *_, taken in asked)} orders taken"
        for title, asked in measured.items()
    )
    return image(figure, f"Requests at the provider. {said}.")


def layouts(parts):
    """What each process did, and how long each urgent task waited: {name: (rows, timeline)}.

    `rows` names the processes: {process: name}.
    """
    figure = Figure(figsize=(10, 1.75 * len(parts) + 0.9), layout="constrained")
    every = figure.subplots(len(parts), 1, sharex=True)
    start = min(
        timeline.sent[run.id][0]
        for _, timeline in parts.values()
        for run in timeline.runs
        if is_urgent(run)
    )
    for axes, (name, (rows, timeline)) in zip(every, parts.items(), strict=True):
        places = {process: row for row, process in enumerate(rows)}
        waits = []
        for run in timeline.runs:
            place, colour = places[run.process], URGENT if is_urgent(run) else BULK
            span = {"width": run.ended - run.started, "left": run.started - start}
            axes.barh(place, **span, height=0.7, color=colour, edgecolor="white", linewidth=0.6)
            if is_urgent(run):
                sent = timeline.sent[run.id][0]
                waits.append(max(run.started - sent, 0))
                times = [sent - start, run.started - start]
                axes.plot(times, [-1, place], color=URGENT, linewidth=1.6)
                axes.plot(times[0], -1, "o", color=URGENT, markersize=6)
        axes.set_yticks(range(-1, len(rows)), ["urgent, sent", *rows.values()])
        axes.set_ylim(len(rows) - 0.5, -1.5)
        title = f"{name}: the longest wait was {max(waits):.2f} s"
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        axes.tick_params(axis="y", length=0)
        bare(axes)
    every[-1].set(xlabel="seconds since the first urgent task was sent", xlim=(-0.15, None))
    legend = [Patch(color=BULK, label="a statement"), Patch(color=URGENT, label="an urgent task")]
    legend += [Line2D([], [], color=URGENT, marker="o", label="from sent to begun: it waits")]
    figure.legend(handles=legend, loc="outside lower center", ncols=3, frameon=False)
    return image(figure, "How long urgent tasks wait for a process, in each layout.")


def is_urgent(run):
    return run.task.endswith(".urgent")
