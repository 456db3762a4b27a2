"""Orders in a database, and their prints:  celery -A shop worker"""

import os

import django
from celery import Celery
from django.db import models, transaction
from django.http import JsonResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")


class Order(models.Model):
    photo = models.CharField(max_length=100)
    printed = models.BooleanField(default=False)

    class Meta:
        app_label = "shop"


@app.task
def print_order(number):
    order = Order.objects.get(id=number)
    order.printed = True
    order.save()


class Refused(Exception):
    """The bank does not pay."""


def pay(card):
    if card != "good":
        raise Refused


def order(request):
    """POST /order  with the name of a photo and a card. All of it happens, or nothing."""
    try:
        with transaction.atomic():
            order = Order.objects.create(photo=request.POST["photo"])
            print_order.delay_on_commit(order.id)
            pay(request.POST["card"])
    except Refused:
        return JsonResponse({"error": "Your bank does not pay."}, status=402)
    return JsonResponse({"order": order.id}, status=202)


urlpatterns = [path("order", order)]
