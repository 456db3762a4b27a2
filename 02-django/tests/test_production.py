"""The settings for production, and the key for your desk."""

import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

CHAPTER = Path(__file__).parent.parent
MANAGE = [sys.executable, "manage.py"]
HOST = "album.example.org"

# Django's pages, asked without a server between. The addresses are HTTPS, because production sends
# everybody else there.
ASK = """
import django; django.setup()
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
host = settings.ALLOWED_HOSTS[0]
headers = {"host": host, "referer": f"https://{host}/"}
visitor = Client(headers=headers, enforce_csrf_checks=True)
visitor.get("/", secure=True)  # brings the CSRF cookie
answer = visitor.%s
print(answer.status_code, answer.content.decode())
"""


@pytest.fixture
def production(tmp_path):
    return {
        "DJANGO_SETTINGS_MODULE": "album.production",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "DJANGO_HOSTS": HOST,
        "ALBUM_DATA": str(tmp_path / "data"),
    }


def test_django_has_nothing_to_say_against_the_settings_for_production(bench, production):
    check = [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"]
    job = bench.run(check, env=production)
    assert job.returncode == 0, job.log()
    assert "System check identified no issues (0 silenced)." in job.log()


@pytest.mark.parametrize("name", ["DJANGO_SECRET_KEY", "DJANGO_HOSTS"])
def test_without_its_key_or_its_name_production_does_not_start(bench, production, name):
    job = bench.run([*MANAGE, "check"], env=production | {name: None})
    assert job.returncode != 0
    assert f"KeyError: '{name}'" in job.log()


def test_the_page_about_far_too_many_files_says_how_many_photos_may_come(bench, production):
    from django.conf import settings

    many = settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1
    photos = f"[SimpleUploadedFile(f'{{n}}.jpg', b'x') for n in range({many})]"
    ask = f"post('/upload', {{'photos': {photos}}}, secure=True)"
    said = bench.python(ASK % ask, env=production)
    assert "400 <!doctype html>" in said, said
    assert f"at most {settings.UPLOAD_MAX_FILES} photos at once" in said
    assert not list(Path(production["ALBUM_DATA"]).rglob("inbox")), "none of them may be kept"


def test_a_form_without_its_token_and_a_page_that_is_not_there_have_friendly_answers(
    bench, production
):
    said = bench.python(ASK % "post('/upload', secure=True)", env=production)
    assert "403 <!doctype html>" in said
    assert "The album is tied to a cookie" in said
    said = bench.python(ASK % "get('/nowhere', secure=True)", env=production)
    assert "404 <!doctype html>" in said
    assert "This is not here" in said


def test_the_key_of_your_desk_is_made_once_and_nobody_else_may_read_it(bench, tmp_path):
    code = "from album import settings; print(settings.SECRET_KEY)"
    env = {"ALBUM_DATA": str(tmp_path)}
    both = [bench.start_python(code, env=env) for _ in range(2)]
    for process in both:
        assert process.wait() == 0, process.log()
    one, other = (process.log().strip() for process in both)
    assert one == other == (tmp_path / "secret-key").read_text()
    assert len(one) >= 50
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_nobody_ever_sees_half_a_key(bench, tmp_path):
    """Processes that start at once, as the site and its worker do: each gets the whole key."""
    code = """if True:
        import sys
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path
        from album.settings import own_secret_key
        sys.setswitchinterval(1e-6)
        with ThreadPoolExecutor(8) as pool:
            for n in range(200):
                keys = set(pool.map(own_secret_key, [Path(sys.argv[1], str(n))] * 8))
                assert len(keys) == 1 and len(min(keys)) > 50, keys
    """
    job = bench.run([sys.executable, "-c", code, tmp_path])
    assert job.returncode == 0, job.log()
    assert len(list(tmp_path.iterdir())) == 200, "nothing else may stay behind"


def test_no_secret_is_in_the_repository():
    try:
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
            cwd=CHAPTER,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("this is no git repository: take the course with git clone")
    files = [CHAPTER / name for name in names.split("\0") if name]
    assert CHAPTER / "manage.py" in files
    assert [path for path in files if "secret" in path.name or "data" in path.parts] == []
    for path in CHAPTER.glob("album/*.py"):
        assert not re.search(r"SECRET_KEY = [\"']", path.read_text()), path
    ignored = subprocess.run(["git", "check-ignore", "--quiet", "data/secret-key"], cwd=CHAPTER)
    assert ignored.returncode == 0, "git would take the key along: see .gitignore"
