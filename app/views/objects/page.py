"""Objects: hardness by object size, and whether edges alone explain it."""

from functools import partial

import streamlit as st

from app import session
from app.components.image_viewer import draw_viewer
from app.components.messages import report_errors
from app.components.picture_picker import select_picture
from app.components.run_picker import load_selected_run, select_epoch
from app.components.scope_picker import select_scope
from app.components.words import draw_needs, say
from app.loading.dataset import load_dataset_picture
from app.loading.objects import Objects, filter_classes, load_dataset_objects, load_picture_objects
from app.loading.pictures import Picture
from app.views.objects import charts, controls, scenes
from app.views.objects.scenes import Row
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "object_viewer"


def draw_objects(run: Run, objects: Objects, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """Draw the charts, the table of objects, and the selected object on its image."""
    choice = controls.select_choice(objects)
    table = filter_classes(objects.table, choice.classes)
    if table.empty:
        st.info("There are no objects of at least 10 px here. Choose other classes or another image.")
        return
    clicked = charts.draw_charts(objects, table, choice)
    table = controls.sort_objects(table, choice.quantity)
    table_column, image_column = st.columns([6, 5])
    with table_column:
        identity = f"{objects.identity} {choice.quantity} {choice.classes}"
        row = controls.select_object(table, identity=identity, clicked=clicked, selections=session.count_selections())
        st.caption(controls.ORDER)
        csv = partial(table.to_csv, index=False)
        name = f"{run.path.name}-objects.csv"
        st.download_button("Table, CSV", csv, name, "text/csv", on_click="ignore", icon=":material/download:")
    with image_column:
        draw_object(run, row, analysis=analysis, epoch=epoch, picture=picture)


def draw_object(run: Run, row: Row, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """Draw the selected object outlined on its image, or a message if the image is not available."""
    with report_errors("This object"):
        if analysis is not None:
            picture = load_dataset_picture(analysis, row["image"])
        assert picture is not None
        labelled = analysis is not None or picture.sample.label_map is not None
        draw_viewer(scenes.make_scene(run, row, picture, epoch=epoch, labelled=labelled), key=KEY)


def draw_page(run: Run) -> None:
    """Draw the objects of a data set, or of the selected image."""
    analysis = select_scope(run, table="objects")
    if analysis is not None:
        draw_objects(run, load_dataset_objects(analysis), analysis=analysis, epoch=analysis.record.epoch, picture=None)
    elif (picture := select_picture(run)) is not None:
        epoch = select_epoch(run)
        draw_objects(run, load_picture_objects(run, epoch, picture), analysis=None, epoch=epoch, picture=picture)


def has_objects(run: Run) -> bool:
    """Whether there are objects: imported maps may have neither labels nor predictions."""
    imported = run.record.imported
    return imported is None or imported.has_labels or imported.has_predictions


run = load_selected_run()
if run.record.imported is None:
    st.caption("Are small and thin objects hard, and more so than their edges explain?")
else:
    st.caption(say("Is hardness high on small and thin objects, and more so than their edges explain?"))
if has_objects(run):
    draw_page(run)
else:
    draw_needs("labels or predictions")
