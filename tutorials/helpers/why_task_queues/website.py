"""The studio's website, without a framework: a list of prices, and two ways to order a print."""

import print_lab

import tasks


def application(environ, start_response):
    """What a WSGI server such as gunicorn calls for each request."""
    photo = environ["QUERY_STRING"]
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/prices":
            status, text = "200 OK", "A print: 2 euros."
        case "POST", "/order":
            print_lab.print_photo(photo)
            status, text = "200 OK", "Your photo is printed."
        case "POST", "/order-with-a-task":
            tasks.print_photo.delay(photo)
            status, text = "202 Accepted", "Your photo will be printed."
        case _:
            status, text = "404 Not Found", "There is no such page."
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text.encode()]
