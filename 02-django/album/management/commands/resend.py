"""Given: send again whatever stands still:  python manage.py resend --older-than 60"""

from django.core.management.base import BaseCommand, CommandError

from album import queue, shelf


class Command(BaseCommand):
    help = "Queue every photo that has been waiting too long. To do so twice does no harm."

    def add_arguments(self, parser):
        parser.add_argument("--older-than", type=float, default=60, help="seconds (60)")

    def handle(self, *args, older_than, **options):
        still = [
            photo
            for album in shelf.all_albums()
            for photo in shelf.photos(album)
            if photo.state == "waiting" and photo.age > older_than
        ]
        sent = queue.send(still)
        self.stdout.write(f"{sent} of {len(still)} photos were sent again.")
        if sent < len(still):
            raise CommandError("The broker does not take messages. The photos are safe.")
