"""Starting the app."""

import subprocess
import sys


def test_the_first_page_is_drawn_before_torch_is_imported():
    check = (
        "import sys, app.components.picture_picker, app.components.run_picker, app.views.inspect.downloads; "
        "assert not {'torch', 'torchvision', 'timm', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
