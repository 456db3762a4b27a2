"""What became of the photos: said on the screen, and as an exit code."""

from pathlib import Path

from celery.result import AsyncResult

from preflight import START_A_WORKER


def tell(files: list[Path], sheet: AsyncResult, out: Path) -> int:
    """Name each photo that is not on the sheet, and why. Return 0 when there is a sheet."""
    thumbnails = dict(zip(files, sheet.parent.results, strict=True))
    for file, thumbnail in thumbnails.items():
        if thumbnail.successful() and "reason" in thumbnail.result:
            print(f"Left out: {file}: {thumbnail.result['reason']}")
    if sheet.successful() and sheet.result:
        print(f"{sheet.result} of {len(files)} photos are on {out}")
        return 0
    if sheet.successful():
        print("There is no sheet: none of these files is a picture.")
        return 1
    for file, thumbnail in thumbnails.items():
        if not thumbnail.successful():
            print(f"Missing: {file}: {thumbnail.result or 'no worker has finished it'}")
    print("There is no sheet. The worker that had these photos has stopped, or is too slow.")
    print(f"Look at its terminal, start it again ({START_A_WORKER}), and run this command again.")
    return 1
