"""A Django project in one file, with its Celery app:  celery -A shop worker"""

import time

from celery import Celery
from django.conf import settings
from django.http import JsonResponse
from django.urls import path

settings.configure(
    SECRET_KEY="only for this exercise",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF="shop",
    USE_TZ=True,
)
app = Celery("shop", broker="redis://localhost:6379/0", backend="redis://localhost:6379/0")


@app.task
def enlarge(photo):
    time.sleep(1)  # a poster is some work
    return f"poster of {photo}"


def order(request):
    """The visitor orders a poster:  POST /order  with the name of a photo."""
    photo = request.POST["photo"]
    result = enlarge.delay(photo)
    return JsonResponse({"receipt": result.id}, status=202)


def poster(request, receipt):
    """The visitor's page asks for it:  GET /poster/<receipt>"""
    result = app.AsyncResult(str(receipt))
    return JsonResponse({"poster": result.result if result.successful() else None})


urlpatterns = [path("order", order), path("poster/<uuid:receipt>", poster)]
