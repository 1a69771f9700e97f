"""What several models can do, one ability per mix-in.

A mix-in adds methods to a `PhasedModel` and says which of the model's attributes it
uses; it has no switches. A model names the abilities that it has, and keeps its phases
and losses to itself.
"""

from keras_saae.abilities.averaging import AveragedClassifier
from keras_saae.abilities.class_and_style import (
    DecodesClassAndStyle,
    EncodesClassAndStyle,
)
from keras_saae.abilities.class_bounds import ClassBounds
from keras_saae.abilities.one_code import ClassifiesCodes, EncodesOneCode, OneCode
from keras_saae.abilities.one_game import PlaysOneGame
from keras_saae.abilities.smoothness import SmoothClassifier
from keras_saae.abilities.two_games import PlaysTwoGames
from keras_saae.abilities.views import PerturbsImages

__all__ = [
    "AveragedClassifier",
    "ClassBounds",
    "ClassifiesCodes",
    "DecodesClassAndStyle",
    "EncodesClassAndStyle",
    "EncodesOneCode",
    "OneCode",
    "PerturbsImages",
    "PlaysOneGame",
    "PlaysTwoGames",
    "SmoothClassifier",
]
