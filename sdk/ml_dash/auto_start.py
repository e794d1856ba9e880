"""`dxp`: an experiment for notebooks and first tries, open as soon as it is imported.

`<user>/scratch/dxp` below `.dash` here. It ends with the process; `dxp.run.complete()`, `.fail()` and
`.start()` end it and go on with it before. Source: API Reference, "Auto-Start".
"""

from ml_dash._experiment import Experiment
from ml_dash._prefix import user_segment

__all__ = ["dxp"]

dxp = Experiment(f"{user_segment()}/scratch/dxp", dash_root=".dash")
dxp.run.start()
