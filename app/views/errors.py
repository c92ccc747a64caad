"""Which pixels are wrong, and does hardness say so better than what every network gives for free?"""

import streamlit as st

from app import error_controls, error_sentences, looks, picking, state, widgets
from app.cache import errors as error_cache
from app.error_controls import Choice, Measured
from app.error_scene import error_scene
from app.samples import Picture
from hlcore.analysis.error_prediction import Region
from hlcore.analysis.flagging import FlaggingResult, outcome_map, summarise_outcomes, threshold_for_share
from hlcore.figures.errors import risk_coverage_figure, roc_figure, score_figure, threshold_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "errors_viewer"


def show(run: Run, picture: Picture, region: Region, analysis: Analysis | None) -> None:
    """Draws the flagged pixels of the picture, and below them what was measured on it or on the data set."""
    choice = error_controls.choose(run, picture, analysis)
    if choice.measured is not None:
        st.markdown(error_sentences.answer(choice.measured.scores, region))
    if analysis is None or choice.measured is None:
        flagged = show_flagged(run, picture, region, choice)
    else:
        threshold, flagged = choice.measured.at(choice.score, region, choice.share)
        said = error_sentences.flagging(choice.score, threshold, region, flagged, share=choice.share)
        st.markdown(f"{widgets.scope_title(analysis)}: {said}")
        with widgets.or_said("The picture"):
            of_picture = show_flagged(run, picture, region, choice, threshold=threshold)
            st.caption(error_sentences.one_picture(state.literal(picture.sample.name), of_picture, analysis))
    widgets.notes(picture)
    if choice.measured is None:
        st.info(error_sentences.WITHOUT_LABELS, icon=":material/info:")
    else:
        draw(choice.measured, choice.score, region, flagged=flagged.pixels_share)


def show_flagged(
    run: Run, picture: Picture, region: Region, choice: Choice, *, threshold: float | None = None
) -> FlaggingResult:
    """Draws the pixels of the picture that a threshold flags; without one, the share of its pixels asked for."""
    scored = error_cache.scored(run, choice.epoch, picture, dropout=choice.dropout)
    values, where = scored.scores[choice.score], scored.where[region]
    of_data = threshold is not None
    threshold = threshold if of_data else threshold_for_share(values, where, share=choice.share)
    outcome = outcome_map(values, where, error=scored.error, threshold=threshold)
    flagged = summarise_outcomes(outcome, where)
    if not of_data:
        said = error_sentences.flagging(choice.score, threshold, region, flagged, share=choice.share)
        st.markdown(f"This picture: {said}")
    scene = error_scene(run, picture, choice, scored, outcome, flagged, name=f"{region}:{threshold}")
    looks.show(scene, key=KEY)
    return flagged


def draw(measured: Measured, score: str, region: Region, *, flagged: float) -> None:
    """Who wins, the curves of all scores, and what every threshold does."""
    verdict = error_sentences.verdict(measured.scores, region, images=measured.images)
    if verdict != error_sentences.NO_DIFFERENCE:  # which stands above the picture already
        st.markdown(verdict)
    curves = measured.curves.loc[measured.curves["region"] == region]
    if curves.empty:
        return
    error_controls.legend(list(curves["score"].unique()))
    risk_column, roc_column, threshold_column = st.columns(3)
    risk_column.plotly_chart(risk_coverage_figure(curves, legend=False), key="risk_coverage")
    roc_column.plotly_chart(roc_figure(curves, legend=False), key="roc")
    threshold_column.plotly_chart(threshold_figure(measured.curve(score, region), flagged=flagged), key="thresholds")
    error_controls.metrics_table(measured, region)
    st.caption(error_sentences.about_metrics())
    st.plotly_chart(score_figure(measured.scores), key="auroc_and_ap")


st.caption("Which pixels are wrong? Does hardness say so better than what every network gives for free?")
chosen = widgets.chosen_run()
scope_column, region_column = st.columns([6, 4], vertical_alignment="bottom")
with scope_column:
    scope = widgets.choose_scope(chosen)
with region_column:
    counted = error_controls.choose_region()
if (taken := picking.choose_picture(chosen)) is not None:
    show(chosen, taken, counted, scope)
