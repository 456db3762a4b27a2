"""A second project that uses the app `thumbnails`, unchanged: no web pages, no Django at all."""
