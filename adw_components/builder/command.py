"""`python -m adw_components build`: the repository's bundles, their check, or one bundle. No torch here."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from ..flags import flag
from ..locks import held_folder
from ..plan import Plan
from .build import BUNDLES, COMMON, new_bundle, write_bundle
from .compare import differences
from .source import BundleSource, msd_source, repository_sources


def build(
    *,
    plan: str | None = None,
    name: str | None = None,
    output: str | None = None,
    check: bool | str = False,
    common: str | None = None,
    interactive: bool | str = False,
    task: str | None = None,
    bundles: Path = BUNDLES,
) -> str:
    """Build bundles and say what was written.

    Args:
        plan: path of a plan.json; without it and a task the bundles of the repository are built.
        name: of the plan's bundle.
        output: folder that will hold the new bundle.
        check: compare the repository's bundles instead of writing them.
        common: folder of the bodies, if they are not the repository's.
        interactive: the new bundle takes clicks.
        task: instead of a plan: a task of the MSD.
        bundles: folder of the repository's bundles.

    Raises:
        UserError: the options do not go together, or the check finds a difference; the text has the diffs.
    """
    check, interactive = flag(check, name="check"), flag(interactive, name="interactive")
    source = Path(common) if common else COMMON
    if plan is None and task is None:
        _refuse_options(name=name, output=output, interactive=interactive)
        return _check(bundles, source) if check else _rebuild(bundles, source)
    if check:
        raise UserError("--check compares the repository's bundles and goes without --plan and --task; leave them out")
    return _new(_source_of(plan, name, task, interactive), output, source)


def _refuse_options(*, name: str | None, output: str | None, interactive: bool) -> None:
    if name is not None or output is not None or interactive:
        raise UserError(
            "--name, --output and --interactive belong to one new bundle: say of what, by --plan plan.json or "
            "--task Task04_Hippocampus; without them the repository's bundles are built"
        )


def _source_of(plan: str | None, name: str | None, task: str | None, interactive: bool) -> BundleSource:
    if task is not None:
        if plan is not None or name is not None:
            raise UserError("--task has its plan and its name; leave --plan and --name out")
        return msd_source(task, interactive=interactive)
    if name is None:
        kind = "deepedit" if interactive else "segmentation"
        raise UserError(f"--plan needs --name, such as kidney_ct_adwunet_{kind}, and --output, a folder for it")
    return BundleSource(name=name, plan=Plan.load(Path(str(plan))), interactive=interactive)


def _new(source: BundleSource, output: str | None, common: Path) -> str:
    if output is None:
        raise UserError("a new bundle needs --output, the folder in which its own is made")
    folder = new_bundle(source, output=Path(output), common=common)
    return f"bundle: {folder}\ncommands: {folder / 'docs' / 'README.md'}"


def _rebuild(bundles: Path, common: Path) -> str:
    with held_folder(bundles, "bundles"):
        changed = [
            path for source in repository_sources() for path in write_bundle(source, bundles / source.name, common)
        ]
    return "\n".join([*(f"wrote {path}" for path in changed), f"{len(changed)} file(s) changed"])


def _check(bundles: Path, common: Path) -> str:
    found = differences(bundles, common)
    if not found:
        return f"{len(repository_sources())} bundles are what {common} and the plans give"
    count = f"{len(found)} file(s) are not what {common} and the plans give"
    remedy = "edit the source, then run python -m adw_components build"
    raise UserError("\n".join([*found, f"{count}; {remedy}"]))
