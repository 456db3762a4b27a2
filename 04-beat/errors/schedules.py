"""A schedule that Celery refuses when it reads it. Neither beat nor a worker is needed."""

import site
import sys
from pathlib import Path

from celery import Celery
from celery.schedules import crontab, solar

from lab.course.catalogue import provokes, raised


@provokes(
    "ValueError: Invalid crontab pattern. Valid range is ... '...' was found.",
    "ValueError: Invalid end range: ... > ...",
    "ValueError: Invalid beginning range: ... < ...",
)
def a_number_out_of_range(bench):
    """# A number in a crontab that no clock shows

    ## Why

    Hours go from 0 to 23, minutes from 0 to 59, days of the week from 0 (Sunday) to 6, days of the
    month from 1 to 31, months from 1 to 12. As a number and as a text the message differs. A step
    that is too large is not found: `minute="*/70"` is minute 0.

    ## Fix

    Midnight is `hour=0`, Sunday is `day_of_week=0` or `"sun"`. What you have written means, in
    words: `lab calendar -A your_app`.
    """
    return (
        raised(lambda: crontab(hour=25))
        + raised(lambda: crontab(day_of_week="7"))
        + raised(lambda: crontab(day_of_month="0"))
    )


@provokes("ValueError: Invalid crontab: day_of_month ... never occurs in month_of_year ...")
def a_date_that_never_comes(bench):
    """# 31 February

    ## Why

    No year has this day. Up to Celery 5.6 the entry was taken, and beat looked for the next run
    until it gave up. Since 5.7 the app cannot be imported.

    ## Fix

    For the last day of a month write `day_of_month="28-31"`, and look in the task whether tomorrow
    is a new month. `day_of_month=29, month_of_year=2` is allowed, and comes every four years.
    """
    return raised(lambda: crontab(0, 3, day_of_month=31, month_of_year=2))


@provokes("ValueError: Invalid weekday literal '...'.")
def a_word_in_a_crontab(bench):
    """# A word in a crontab that is neither a day nor a month

    ## Why

    A field that is no number is taken for a day of the week or a month, in English: "sun", "mar".
    So the message speaks of a weekday, even where the field is the hour.

    ## Fix

    `hour=15` for "3pm". Lists and ranges have no spaces: `"mon,fri"`, `"9-17"`.
    """
    return raised(lambda: crontab(hour="3pm", minute=0))


@provokes(
    "TypeError: Argument cronspec needs to be of any of the following types: int, str, or an "
    "iterable type. <class '...'> was given."
)
def half_an_hour(bench):
    """# A field of a crontab is a float or `None`

    ## Why

    A field is a number, a text or a list. `hour=7 / 2` is a float, even where it comes out even.

    ## Fix

    `hour=3, minute=30`. For "every so many seconds" no crontab is needed: write the number of
    seconds as the schedule.
    """
    return raised(lambda: crontab(hour=7 / 2, minute=0))


@provokes("AttributeError: 'Celery' object has no attribute 'periodic_task'")
def the_old_decorator(bench):
    """# `@app.periodic_task`

    ## Why

    The decorator was removed in Celery 5. The article is older than that.

    ## Fix

    Decorate with `@app.task`. Then write an entry into `app.conf.beat_schedule`, or call
    `sender.add_periodic_task(...)` in a handler of `app.on_after_finalize`.
    """
    return raised(lambda: Celery(set_as_current=False).periodic_task(run_every=5))


@provokes(
    "celery.exceptions.ImproperlyConfigured: You need to install the ephem library to use solar "
    "schedules."
)
def no_ephem(bench):
    """# `solar` without the package ephem

    ## Why

    Where the sun stands is computed by the package `ephem`. Only the extra brings it.

    ## Fix

    `pip install "celery[solar]"`, and write the extra into your `requirements.txt`.
    """
    folder = bench.folder / "without-ephem"
    folder.mkdir()
    for installed in Path(site.getsitepackages()[0]).iterdir():
        if not installed.name.startswith("ephem"):
            (folder / installed.name).symlink_to(installed)
    # -S: Python does not look where it is installed. The loader belongs to the bench.
    env = {"PYTHONPATH": str(folder), "CELERY_LOADER": None}
    return bench.run([sys.executable, "-S", "-c", "import golden_hour"], env=env).log()


@provokes(
    'ValueError: Argument event "..." is invalid, must be one of dawn_astronomical, dawn_civil, '
    "dawn_nautical, dusk_astronomical, dusk_civil, dusk_nautical, solar_noon, sunrise, sunset."
)
def an_unknown_event(bench):
    """# `solar` with an event that it does not know

    ## Why

    The first argument is one of nine names. The place comes after it, first the latitude: how far
    north. (A latitude above 90 is refused as well.)

    ## Fix

    `solar("sunset", lat=48.86, lon=2.35)`: with the names of the arguments none gets swapped.
    """
    return raised(lambda: solar("golden hour", lat=48.86, lon=2.35))
