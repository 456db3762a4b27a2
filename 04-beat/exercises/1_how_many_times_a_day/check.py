from datetime import UTC, datetime, timedelta

# A second before midnight: the run at midnight belongs to the day.
BEGIN = datetime(2026, 11, 12, 23, 59, 59, tzinfo=UTC)

# What to think about, and no number: the answer is theirs to find.
QUESTIONS = {
    "look for orders": "How many seconds has a day?",
    "clean up the uploads": "Nobody wrote minute=. What is it then?",
    "check the albums": "Which hours are 9-17, and does 17:45 belong to them?",
    "count the photos": "When is the first run after 8:40?",
    "report the orders": "Which of the minutes from 0 to 59 can be divided by 70?",
    "wake the printer": "When is the first run after 21:00?",
    "send the invoices": "It has a day of the month AND a day of the week. Is that day both?",
}


def check(bench):
    from times import ANSWERS, SCHEDULES

    assert set(ANSWERS) == set(SCHEDULES) == set(QUESTIONS), (
        "Keep the seven names in SCHEDULES and ANSWERS as they were."
    )
    for name, question in QUESTIONS.items():
        said = ANSWERS[name]
        assert isinstance(said, int), f'"{name}": write a number. {question}'
        asked = runs(SCHEDULES[name])
        assert said == asked, (
            f'"{name}": you say {said}. Celery sends it {"more" if asked > said else "less"} '
            f"often than that. {question}"
        )


def runs(schedule):
    """How often it is due on that day, by the schedule object itself."""
    last, count = BEGIN, 0
    while True:
        schedule.nowfun = lambda now=last: now  # it answers "in so long, from now"
        last += schedule.remaining_estimate(last)
        if last > BEGIN + timedelta(days=1):
            return count
        count += 1
