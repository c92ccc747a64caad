"""Whether the palette of a label map agrees with its class ids."""

from collections.abc import Mapping, Sequence

from hlcore.data.labels import ClassTable, Colour, voc_palette
from hlcore.types import IGNORE_INDEX

VOID_COLOURS = ((0, 0, 0), (255, 255, 255), (224, 224, 192))
"""Colours of unlabelled pixels, unless a class has them: black, white and the cream of Pascal VOC."""

_VOC_PALETTE = voc_palette(256)
_COMMON_CHANNELS = {0, 64, 128, 192, 255}
"""Channels of the colours of common palettes."""


def has_only_class_colours(colours: Mapping[int, Colour | None], classes: ClassTable) -> bool:
    """Whether each colour is that of a class or of unlabelled pixels."""
    return all(colour in classes.palette or colour in VOID_COLOURS for colour in colours.values())


def find_contradiction(
    colours: Mapping[int, Colour | None],
    ids: Mapping[int, int],
    classes: ClassTable,
    *,
    coloured: Sequence[int] | None = None,
) -> str:
    """The first id with the colour of another class, in words; empty if the palette agrees or says nothing of classes.

    It says nothing if it is that of Pascal VOC, which many programs give to any ids. Otherwise, the colour of another
    class contradicts the id, except a colour that many palettes have (_COMMON_CHANNELS) in a palette where no id has
    its own colour and at least as many have foreign ones. Ignored ids may have any colour.

    Args:
        colours: Colour of each id in use; None if the palette has none.
        ids: Id to class index, 255 = ignored, for every valid id.
        classes: The classes with their colours.
        coloured: Indices of the classes whose colours are known; the others may have any. Default: all.

    Example:
        >>> classes = ClassTable(("sky", "road"), ((70, 130, 180), (128, 64, 128)))
        >>> find_contradiction({0: (128, 64, 128), 1: (70, 130, 180)}, {0: 0, 1: 1}, classes)
        '0 has the colour (128, 64, 128) of road, but is the id of sky'
    """
    if all(colour == _VOC_PALETTE[slot] for slot, colour in colours.items() if ids.get(slot) != IGNORE_INDEX):
        return ""
    known = range(len(classes.names)) if coloured is None else coloured
    class_colours = {classes.palette[index]: classes.names[index] for index in reversed(known)}
    own_colours = {slot: classes.palette[index] for slot, index in ids.items() if index in known}
    free = {slot for slot, index in ids.items() if index == IGNORE_INDEX or index not in known}
    moved = [s for s, colour in colours.items() if colour != own_colours.get(s)]
    moved = [s for s in moved if s not in free or (ids[s] != IGNORE_INDEX and colours[s] in class_colours)]
    of_classes = [s for s in moved if colours[s] in class_colours]
    of_void = [s for s in moved if colours[s] in VOID_COLOURS and s not in of_classes]
    foreign = len(moved) - len(of_classes) - len(of_void)
    some_agree = any(colour == own_colours.get(s, ()) for s, colour in colours.items())
    distinctive = [s for s in of_classes if not {*(colours[s] or ())} <= _COMMON_CHANNELS]
    if distinctive or len(of_classes) > foreign or (of_classes and some_agree):
        slot = (of_classes if len(of_classes) > foreign or some_agree else distinctive)[0]
        colour = colours[slot]
        meaning = class_colours[colour] if colour else ""
    elif of_void and some_agree and not foreign:
        slot, colour, meaning = of_void[0], colours[of_void[0]], "unlabelled pixels"
    else:
        return ""
    named = f"the id of {classes.names[ids[slot]]}" if slot in ids else "no class"
    return f"{slot} has the colour {colour} of {meaning}, but is {named}"
