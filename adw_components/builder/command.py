"""`python -m adw_components build`: the ten bundles, their check, or one bundle for a plan. No torch here."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from ..plan import Plan
from .build import BUNDLES, COMMON, msd_sources, new_bundle, write_bundle
from .compare import differences


def build(
    *, plan: str | None, name: str | None, output: str | None, check: bool, common: str | None, bundles: Path = BUNDLES
) -> str:
    """Build bundles and say what was written.

    Args:
        plan: path of a plan.json; without it the ten bundles of the repository are built.
        name: of the plan's bundle.
        output: folder that will hold the plan's bundle.
        check: compare the ten bundles instead of writing them.
        common: folder of the bodies, if they are not the repository's.
        bundles: folder of the ten bundles.

    Raises:
        UserError: the options do not go together, or the check finds a difference; the text has the diffs.
    """
    source = Path(common) if common else COMMON
    if plan is None:
        if name is not None or output is not None:
            raise UserError(
                "--name and --output belong to --plan; give all three, or none for the repository's ten bundles"
            )
        return _check(bundles, source) if check else _rebuild(bundles, source)
    if check:
        raise UserError("--check compares the repository's ten bundles and goes without --plan; leave one of them out")
    if name is None or output is None:
        raise UserError("--plan needs --name, such as kidney_ct_adwunet_segmentation, and --output, a folder for it")
    return _new(Path(plan), name, Path(output), source)


def _new(plan: Path, name: str, output: Path, common: Path) -> str:
    folder = new_bundle(Plan.load(plan), name=name, output=output, common=common)
    return f"bundle: {folder}\ncommands: {folder / 'docs' / 'README.md'}"


def _rebuild(bundles: Path, common: Path) -> str:
    changed = [path for source in msd_sources() for path in write_bundle(source, bundles / source.name, common)]
    return "\n".join([*(f"wrote {path}" for path in changed), f"{len(changed)} file(s) changed"])


def _check(bundles: Path, common: Path) -> str:
    found = differences(bundles, common)
    if not found:
        return f"{len(msd_sources())} bundles are what {common} and the plans give"
    count = f"{len(found)} file(s) are not what {common} and the plans give"
    remedy = "edit the source, then run python -m adw_components build"
    raise UserError("\n".join([*found, f"{count}; {remedy}"]))
