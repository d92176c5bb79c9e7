"""Start MONAI Label's server; words are those of `python -m monailabel.main`.

MONAI Label 0.8.5 cannot start with a list of origins in the environment, nor train: it writes its settings to a log as
JSON, which the addresses that it makes of the list are not; and it adds a slash to them that no browser sends. Here the
list is taken out of the environment, and given to the settings as texts just before the server reads it.
"""

import json
import os
import runpy
import sys


def main() -> None:
    """Set the origins, and go on as MONAI Label does."""
    given = os.environ.pop("MONAI_LABEL_CORS_ORIGINS", "[]")
    try:
        origins = json.loads(given)
    except json.JSONDecodeError:
        origins = None
    if not isinstance(origins, list) or not all(isinstance(origin, str) for origin in origins):
        example = '["https://viewer.example"]'
        sys.exit(f"error: MONAI_LABEL_CORS_ORIGINS must be a list of addresses, such as '{example}', got {given}")
    import uvicorn
    from monailabel.config import settings

    serve = uvicorn.run

    def with_origins(*words: object, **options: object) -> None:
        settings.MONAI_LABEL_CORS_ORIGINS = [origin.rstrip("/") for origin in origins]
        serve(*words, **options)

    uvicorn.run = with_origins
    runpy.run_module("monailabel.main", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
