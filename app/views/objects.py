"""Objects: are small and thin things hard, and is that more than their edges?"""

from functools import partial

import streamlit as st

from app import looks, object_charts, object_controls, object_scenes, picking, state, widgets
from app.cache import dataset as dataset_cache
from app.cache import objects as object_cache
from app.cache.objects import Objects
from app.object_scenes import Row
from app.samples import Picture
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "object_viewer"


def show(run: Run, objects: Objects, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """Draws the objects, and the one that is selected on its image."""
    choice = object_controls.choose(objects)
    table = object_cache.of_classes(objects.table, choice.classes)
    if table.empty:
        st.info("There is no object of 10 px or more here; choose other classes or another picture.")
        return
    clicked = object_charts.draw(objects, table, choice)
    table = object_controls.ordered(table, choice.quantity)
    table_column, image_column = st.columns([6, 5])
    with table_column:
        identity = f"{objects.identity} {choice.quantity} {choice.classes}"
        row = object_controls.choose_object(table, identity=identity, clicked=clicked, pointed=state.pointed())
        st.caption(object_controls.ORDER)
        csv = partial(table.to_csv, index=False)
        name = f"{run.path.name}-objects.csv"
        st.download_button("Table, CSV", csv, name, "text/csv", on_click="ignore", icon=":material/download:")
    with image_column:
        show_object(run, row, analysis=analysis, epoch=epoch, picture=picture)


def show_object(run: Run, row: Row, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """The selected object outlined on its image and its hardness; a sentence where its image is not at hand."""
    with widgets.or_said("This object"):
        if analysis is not None:
            picture = dataset_cache.picture(analysis, row["image"])
        assert picture is not None
        labelled = analysis is not None or picture.sample.label_map is not None
        looks.show(object_scenes.object_scene(run, row, picture, epoch=epoch, labelled=labelled), key=KEY)


st.caption("Are small and thin things hard, and is that more than their edges explain?")
chosen = widgets.chosen_run()
scope = widgets.choose_scope(chosen)
if scope is not None:
    show(chosen, object_cache.of_analysis(scope), analysis=scope, epoch=scope.record.epoch, picture=None)
elif (taken := picking.choose_picture(chosen)) is not None:
    at = widgets.choose_epoch(chosen)
    show(chosen, object_cache.of_picture(chosen, at, taken), analysis=None, epoch=at, picture=taken)
