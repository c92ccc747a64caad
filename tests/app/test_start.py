"""What must hold before anything is shown."""

import subprocess
import sys


def test_the_page_can_paint_before_torch_is_imported():
    check = (
        "import sys, app.cache, app.downloads, app.picking, app.state, app.widgets; "
        "assert not {'torch', 'torchvision', 'timm', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
