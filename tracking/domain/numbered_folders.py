"""Numbers of folders, for clients that ask for a folder before anything lies in it."""

from tracking.domain.values import clean_folder
from tracking.models import Folder, Project, Run


def open_folder(project: Project, name: str, *, parent: Folder | Run | None = None) -> Folder:
    """The folder of that name in `parent`, where None is the top of the project.

    In a run, or in a folder of one, it is of that run. Raises: InvalidInput.
    """
    run = parent if isinstance(parent, Run) else parent.run if parent else None
    above = parent.path if isinstance(parent, Folder) else ""
    path = clean_folder(f"{above}/{name}", "name")
    folders = Folder.objects.filter(run=run) if run else project.folders.filter(run=None)
    fields = {"project": project, "run": run}  # the project may be another: runs are moved
    return folders.get_or_create(path=path, defaults=fields)[0]
