"""Objects: are small and thin things hard, and is that more than their edges?"""

from functools import partial

import streamlit as st

from app import session
from app.components import image_viewer, messages, picture_picker, run_picker, scope_picker
from app.loading import dataset as dataset_loading
from app.loading import objects as object_loading
from app.loading.objects import Objects
from app.loading.pictures import Picture
from app.views.objects import charts, controls, scenes
from app.views.objects.scenes import Row
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "object_viewer"


def show(run: Run, objects: Objects, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """Draws the objects, and the one that is selected on its image."""
    choice = controls.choose(objects)
    table = object_loading.of_classes(objects.table, choice.classes)
    if table.empty:
        st.info("There is no object of 10 px or more here; choose other classes or another picture.")
        return
    clicked = charts.draw(objects, table, choice)
    table = controls.ordered(table, choice.quantity)
    table_column, image_column = st.columns([6, 5])
    with table_column:
        identity = f"{objects.identity} {choice.quantity} {choice.classes}"
        row = controls.choose_object(table, identity=identity, clicked=clicked, pointed=session.pointed())
        st.caption(controls.ORDER)
        csv = partial(table.to_csv, index=False)
        name = f"{run.path.name}-objects.csv"
        st.download_button("Table, CSV", csv, name, "text/csv", on_click="ignore", icon=":material/download:")
    with image_column:
        show_object(run, row, analysis=analysis, epoch=epoch, picture=picture)


def show_object(run: Run, row: Row, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """The selected object outlined on its image and its hardness; a sentence where its image is not at hand."""
    with messages.or_said("This object"):
        if analysis is not None:
            picture = dataset_loading.picture(analysis, row["image"])
        assert picture is not None
        labelled = analysis is not None or picture.sample.label_map is not None
        image_viewer.show(scenes.object_scene(run, row, picture, epoch=epoch, labelled=labelled), key=KEY)


st.caption("Are small and thin things hard, and is that more than their edges explain?")
chosen = run_picker.chosen_run()
scope = scope_picker.choose_scope(chosen)
if scope is not None:
    show(chosen, object_loading.of_analysis(scope), analysis=scope, epoch=scope.record.epoch, picture=None)
elif (taken := picture_picker.choose_picture(chosen)) is not None:
    at = run_picker.choose_epoch(chosen)
    show(chosen, object_loading.of_picture(chosen, at, taken), analysis=None, epoch=at, picture=taken)
