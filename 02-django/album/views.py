"""Given: the pages of the album. Every one works without JavaScript; with it, the photos come by
themselves."""

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import OperationalError

from album import queue, shelf
from album.forms import Feedback, refusal
from album.tasks import send_feedback
from thumbnails.tasks import SIZES

PATIENCE = 3  # seconds after which a waiting photo makes us ask whether anybody works


def grid(request) -> dict:
    """What the photos' part of the page shows."""
    photos = shelf.photos(request.session.get("album", ""))
    waiting = [photo for photo in photos if photo.state == "waiting"]
    done = len(photos) - len(waiting)
    trouble = "ok"
    if any(photo.age > PATIENCE for photo in waiting):
        trouble = queue.worker_state()
    seen = "".join(photo.state[0] for photo in photos) + f" {trouble}"
    return {
        "photos": photos,
        "done": done,
        "waiting": len(waiting),
        "trouble": trouble,
        "seen": seen,
    }


@never_cache
@require_GET
def show(request):
    limits = {"files": settings.UPLOAD_MAX_FILES, "megabytes": settings.UPLOAD_MAX_BYTES >> 20}
    return render(request, "album/album.html", grid(request) | {"limits": limits})


@never_cache
@require_GET
def photos(request):
    """The photos alone. The page asks for them while some are waiting."""
    now = grid(request)
    if request.GET.get("seen") == now["seen"]:
        return HttpResponse(status=204)  # nothing new: the page stays, and is not read out again
    return render(request, "album/photos.html", now)


@require_POST
def upload(request):
    album = request.session.setdefault("album", shelf.new_album())
    files = request.FILES.getlist("photos")
    kept, refused = [], []
    for _ in messages.get_messages(request):
        pass  # what was never read would pile up, and a cookie holds little
    if not files:
        messages.error(request, "Choose some photos first.")
    elif len(files) > settings.UPLOAD_MAX_FILES:
        messages.error(request, f"Send {settings.UPLOAD_MAX_FILES} photos at once, not more.")
        files = []
    for file in files:
        if reason := refusal(file):
            refused.append(f"{file.name[:40]}: {reason}.")
        else:
            kept.append(shelf.add(album, file))
    for text in refused[:3]:
        messages.error(request, text)
    if refused[3:]:
        messages.error(request, f"{len(refused) - 3} more were not taken either.")
    if queue.send(kept) < len(kept):
        messages.warning(
            request,
            "Your photos are safe, but nobody can work on them at this moment. "
            "The studio will send them again.",
        )
    return redirect("album")


def own_photo(request, name: str) -> shelf.Photo:
    """The photo, if it is in the visitor's own album. To guess a name does not help."""
    photo = shelf.find(request.session.get("album", ""), name)
    if photo is None:
        raise Http404("There is no such photo in your album.")
    return photo


@require_GET
def thumbnail(request, name: str, size: str):
    path = own_photo(request, name).path("ready") / f"{size}.jpg"
    if size not in SIZES or not path.exists():
        raise Http404("This photo has no such size.")
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@require_POST
def try_again(request, name: str):
    photo = own_photo(request, name)
    photo.try_again()
    if not queue.send([photo]):
        messages.warning(request, "Nobody can work on it at this moment. It stays here.")
    return redirect("album")


@require_POST
def remove(request, name: str):
    own_photo(request, name).remove()
    return redirect("album")


def feedback(request):
    form = Feedback(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            send_feedback.apply_async(kwargs=form.cleaned_data, retry=False)
            messages.success(request, "Thank you. Your message is on its way.")
            return redirect("album")
        except OperationalError:
            form.add_error(None, "This cannot be sent at this moment. Please try again later.")
            status = 503
    return render(request, "album/feedback.html", {"form": form}, status=status)
