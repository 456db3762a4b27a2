"""Given: which address leads to which page."""

from django.urls import path

from album import views

urlpatterns = [
    path("", views.show, name="album"),
    path("photos", views.photos, name="photos"),
    path("upload", views.upload, name="upload"),
    path("photos/<slug:name>/<slug:size>.jpg", views.thumbnail, name="thumbnail"),
    path("photos/<slug:name>/try-again", views.try_again, name="try-again"),
    path("photos/<slug:name>/remove", views.remove, name="remove"),
    path("feedback", views.feedback, name="feedback"),
]
