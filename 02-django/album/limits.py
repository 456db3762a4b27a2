"""Given: a middleware: what is far too large is refused by its length, before anybody reads it."""

from django.conf import settings
from django.http import HttpResponse


def request_size(get_response):
    def answer(request):
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.UPLOAD_MAX_REQUEST:
            limit = settings.UPLOAD_MAX_REQUEST // 1024**2
            text = f"These files are more than {limit} MB together. Please send fewer at once."
            return HttpResponse(text, status=413, content_type="text/plain")
        return get_response(request)

    return answer
