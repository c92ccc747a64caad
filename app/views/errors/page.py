"""Errors: which pixels are wrong, and how well hardness and other scores find them."""

import streamlit as st

from app import session
from app.components.image_viewer import draw_viewer
from app.components.messages import draw_size_note, report_errors
from app.components.picture_picker import select_picture
from app.components.run_picker import load_selected_run
from app.components.scope_picker import format_scope, select_scope
from app.components.words import draw_figure, draw_needs, say
from app.loading.errors import load_scores
from app.loading.pictures import Picture
from app.views.errors import controls, sentences
from app.views.errors.controls import Choice, ErrorTables
from app.views.errors.scenes import make_scene
from hlcore.analysis.error_prediction import Region
from hlcore.analysis.flagging import FlaggingResult, outcome_map, summarise_outcomes, threshold_for_share
from hlcore.figures.errors import make_risk_coverage_figure, make_roc_figure, make_score_figure, make_threshold_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "errors_viewer"


def draw_errors(run: Run, picture: Picture, region: Region, analysis: Analysis | None) -> None:
    """Draw the flagged pixels of the picture and the measures of the picture or the data set."""
    choice = controls.select_choice(run, picture, analysis)
    if choice.tables is not None:
        st.markdown(say(sentences.summarise_hardness(choice.tables.scores, region)))
        if recommended := sentences.recommend_score(choice.tables.scores, region, unfit=list_unfit_scores(analysis)):
            st.caption(say(recommended))
    if analysis is None or choice.tables is None:
        flagged = draw_flagged(run, picture, region, choice)
    else:
        threshold, flagged = choice.tables.find_threshold(choice.score, region, choice.share)
        sentence = describe_flagging(run, choice, threshold, region, flagged)
        st.markdown(say(f"{format_scope(analysis)}: {sentence}"))
        with report_errors("The image"):
            of_picture = draw_flagged(run, picture, region, choice, threshold=threshold)
            name, labelled = session.escape_markdown(picture.sample.name), picture.sample.label_map is not None
            st.caption(sentences.describe_picture(name, of_picture, analysis, labelled=labelled))
    draw_size_note(picture)
    if choice.tables is None and run.record.imported is not None:
        draw_needs("labels")
    elif choice.tables is None:
        st.info(sentences.WITHOUT_LABELS, icon=":material/info:")
    else:
        draw_scores(choice.tables, choice.score, region, flagged=flagged.pixels_share)


def describe_flagging(run: Run, choice: Choice, threshold: float, region: Region, flagged: FlaggingResult) -> str:
    """What the threshold of the selected score flags, in the unit of the score."""
    imported = run.record.imported and run.record.imported.find(choice.score)
    return sentences.describe_flagging(choice.score, threshold, region, flagged, share=choice.share, imported=imported)


def list_unfit_scores(analysis: Analysis | None) -> tuple[str, ...]:
    """The scores that were fitted to the images they are measured on."""
    model = None if analysis is None else analysis.record.error_model
    measured_on = "" if analysis is None else f"{analysis.record.dataset} {analysis.record.split}"
    return (controls.SUSPICION,) if model is not None and model.learned_on == measured_on else ()


def draw_flagged(
    run: Run, picture: Picture, region: Region, choice: Choice, *, threshold: float | None = None
) -> FlaggingResult:
    """Draw the pixels that a threshold flags or, without one, the requested share of the pixels."""
    scored = load_scores(run, choice.epoch, picture, dropout=choice.dropout)
    values, where = scored.scores[choice.score], scored.where[region]
    of_data = threshold is not None
    threshold = threshold if of_data else threshold_for_share(values, where, share=choice.share)
    outcome = outcome_map(values, where, error=scored.error, threshold=threshold)
    flagged = summarise_outcomes(outcome, where)
    if not of_data:
        sentence = describe_flagging(run, choice, threshold, region, flagged)
        st.markdown(say(f"This image: {sentence}"))
    scene = make_scene(run, picture, choice, scored, outcome, flagged, name=f"{region}:{threshold}")
    draw_viewer(scene, key=KEY)
    return flagged


def draw_scores(tables: ErrorTables, score: str, region: Region, *, flagged: float) -> None:
    """Draw the comparison of the scores: verdict, curves, table and effect of every threshold."""
    verdict = sentences.summarise_differences(tables.scores, region, images=tables.images)
    if verdict != sentences.NO_DIFFERENCE:  # already shown above the image
        st.markdown(say(verdict))
    curves = tables.curves.loc[tables.curves["region"] == region]
    if curves.empty:
        return
    controls.draw_legend(list(curves["score"].unique()))
    risk_column, roc_column, threshold_column = st.columns(3)
    draw_figure(make_risk_coverage_figure(curves, legend=False), place=risk_column, key="risk_coverage")
    draw_figure(make_roc_figure(curves, legend=False), place=roc_column, key="roc")
    of_score = make_threshold_figure(tables.filter_curve(score, region), flagged=flagged)
    draw_figure(of_score, place=threshold_column, key="thresholds")
    controls.draw_metrics_table(tables, region)
    st.caption(sentences.describe_metrics())
    draw_figure(make_score_figure(tables.scores), key="auroc_and_ap")


def draw_page(run: Run) -> None:
    """Draw the controls of the page, and its results."""
    scope_column, region_column = st.columns([6, 4], vertical_alignment="bottom")
    with scope_column:
        analysis = select_scope(run, table="scores")
    with region_column:
        region = controls.select_region()
    if (picture := select_picture(run)) is not None:
        draw_errors(run, picture, region, analysis)


run = load_selected_run()
st.caption(say(sentences.ABOUT if run.record.imported is None else sentences.ABOUT_IMPORTED))
if run.record.imported is None or run.record.imported.has_predictions:
    draw_page(run)
else:
    draw_needs("predictions")
