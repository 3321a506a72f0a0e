"""Stand-ins are no way around a check: whoever reaches for one gains no more than by giving up."""

import textwrap

import pytest
from helpers import grade_all

from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import _with_body
from grading.running.sandbox import detect
from grading.submissions.collect import Submission

FCN = "mlp.fully_connected_networks."
LINEAR, NET, SOFTMAX = f"{FCN}Linear.forward", f"{FCN}TwoLayerNet.loss", "mlp.losses.softmax_loss"
ADAM = "mlp.update_rules.adam"
LOST = 'raise RuntimeError("lost on purpose")'
NO_MODEL = {"mlp.hyperparameter_tuning.train_best_mlp:accuracy"}
BY_AUTOGRAD = """
    params = {{name: value.clone() for name, value in self.params.items()}}
    hidden = lambda W1, b1: (X.flatten(1) @ W1 + b1).clamp(min=0)
    scores = lambda W1, b1, W2, b2: hidden(W1, b1) @ W2 + b2
    if y is None: return scores(*params.values())
    penalty = lambda W1, b1, W2, b2: self.reg * (W1.square().sum() + W2.square().sum())
    loss = lambda *p: torch.nn.functional.cross_entropy(scores(*p), y) + penalty(*p)
    value, grads = {}(loss, tuple(params.values()))
    return value, dict(zip(params, grads))
    """
SCORES_ALONE = BY_AUTOGRAD.format("given_up")
ATTACKS = {
    "the assignment's own list": (
        {
            ADAM: "from exercise_code.support.checking.assignment import find_assignment\n"
            "there = {s.exercise: s.function for s in find_assignment('a03').stand_ins}\n"
            f"return there['{ADAM}'](w, dw, config)"
        },
        [ADAM],
    ),
    "the file on disk": (
        {
            ADAM: "import exercise_code, pathlib, runpy\n"
            "roots = [pathlib.Path(place).parent for place in exercise_code.__path__]\n"
            "files = [path for root in roots for path in root.rglob('stand_in*/*.py')]\n"
            "files += [path for root in roots for path in root.rglob('stand_ins.py')]\n"
            "there = [runpy.run_path(str(path)).get('adam') for path in files]\n"
            "return [found for found in there if found][0].function(w, dw, config)"
        },
        [ADAM],
    ),
    "its own, beside another's": (
        {LINEAR: LOST, NET: "return Linear.forward.__globals__['two_layer_loss'].function(self, X, y)"},
        [LINEAR, NET],
    ),
    "its own, wherever it is in memory": (
        {
            LINEAR: LOST,
            NET: "import gc\n"
            "from exercise_code.support.checking.declare import StandIn\n"
            "there = [s for s in gc.get_objects() if type(s) is StandIn]\n"
            "return [s for s in there if s.exercise.endswith('TwoLayerNet.loss')][0].function(self, X, y)",
        },
        [LINEAR, NET],
    ),
    "what helps another's": (
        {
            LINEAR: LOST,
            NET: "scores = lambda p: (X.flatten(1) @ p['W1'] + p['b1']).clamp(min=0) @ p['W2'] + p['b2']\n"
            "return Linear.forward.__globals__['_loss'](scores, self.params, y, self.reg)",
        },
        [LINEAR, NET],
    ),
    "what another's imports": (
        {LINEAR: LOST, NET: BY_AUTOGRAD.format("Linear.forward.__globals__['vjp']")},
        [LINEAR, NET],
    ),
    "code in another's module": (
        {
            LINEAR: LOST,
            NET: "exec('def mine(*a): return vjp(*a)', Linear.forward.__globals__)\n"
            + textwrap.dedent(BY_AUTOGRAD).format("Linear.forward.__globals__['mine']"),
        },
        [LINEAR, NET],
    ),
    "code in the place of another's": (
        {
            LINEAR: LOST,
            NET: "def mine(x, w, b): return vjp(x, w)\n"
            "Linear.forward.__code__ = mine.__code__\n"
            + textwrap.dedent(BY_AUTOGRAD).format("(lambda f, p: Linear.forward(f, p, None))"),
        },
        [LINEAR, NET],
    ),
    "a class that refuses to be changed": (
        {LINEAR: LOST},
        [LINEAR],
    ),
}
"""Bodies of exercises of a right submission, and the exercises that are worth nothing then."""

pytestmark = pytest.mark.skipif(detect().level == "L1", reason="this machine offers no isolation")


@pytest.fixture(scope="module")
def a03():
    return find_assignment("a03")


@pytest.fixture(scope="module")
def attacked(a03, tmp_path_factory):
    right = {file: (ROOT / file).read_text(encoding="utf-8") for file in a03.editable}
    texts = {"right": right}
    for name, (bodies, lost) in ATTACKS.items():
        without = {exercise: SCORES_ALONE if exercise == NET else LOST for exercise in lost}
        for kind, written in (("", bodies), (" not tried", without)):
            changed = right
            for exercise, body in written.items():
                changed = _with_body(changed, exercise, textwrap.dedent(body).strip())
            texts[f"{name}{kind}"] = changed
    name = "a class that refuses to be changed"
    file = "exercise_code/mlp/fully_connected_networks.py"
    refuses = "class Refuses(type):\n    def __setattr__(cls, *_): raise TypeError\n\n\n"
    refusing = f"{refuses}class Linear(metaclass=Refuses):"
    texts[name] |= {file: texts[name][file].replace("class Linear:", refusing)}
    submissions = [
        Submission(name, {file: text.encode() for file, text in files.items()})
        for name, files in texts.items()
    ]
    records = grade_all(submissions, a03, 7, tmp_path_factory.mktemp("stand_ins"))
    return {record.submission.id: record for record in records}


@pytest.mark.parametrize("name", ATTACKS)
def test_reaching_for_a_stand_in_gains_nothing(attacked, name, record_property):
    lost, record = ATTACKS[name][1], attacked[name]
    found = {verdict.check: verdict for verdict in record.verdicts}
    record_property("attack", ["reach", name, found[lost[-1]].status, f"{record.score:g}"])
    assert not any(found[exercise].points for exercise in lost)
    assert record.score <= attacked[f"{name} not tried"].score


def test_what_is_lost_on_purpose_costs_itself(attacked):
    """With all else right, a broken layer costs its own point and those of its way back, no others."""
    record = attacked["a class that refuses to be changed not tried"]
    assert {v.exercise for v in record.verdicts if v.points < v.max_points and v.check not in NO_MODEL} == {
        LINEAR,
        f"{FCN}Linear.backward",
    }
