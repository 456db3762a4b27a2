"""Given: what a visitor may send."""

from django import forms
from django.conf import settings

from thumbnails import pictures


class Feedback(forms.Form):
    """A message to the studio."""

    email = forms.EmailField(
        label="Your e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    message = forms.CharField(widget=forms.Textarea(attrs={"rows": 6}), max_length=5000)


def refusal(upload) -> str | None:
    """Why an upload is not taken, in words for the visitor. `None`: it is.

    Only its first bytes are read. Whether the rest is whole, the worker will see.
    """
    if upload.size > settings.UPLOAD_MAX_BYTES:
        return f"larger than {settings.UPLOAD_MAX_BYTES // 1024**2} MB"
    if upload.size == 0:
        return "empty"
    try:
        pictures.check(upload)
    except pictures.BadPicture as reason:
        return str(reason)
    finally:
        upload.seek(0)
    return None
