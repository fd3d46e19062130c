"""Things kept beside what they were made for."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

from wavlm_explorer.keeping import Keeper


class Owner:
    """Somebody to keep things for."""


def test_a_thing_is_made_once_for_each_owner_and_name():
    keeper, made = Keeper[list](), []
    one, other = Owner(), Owner()

    def make():
        made.append([])
        return made[-1]

    first = keeper.recall(one, make, name="a")
    assert keeper.recall(one, make, name="a") is first
    assert keeper.recall(one, make, name="b") is not first
    assert keeper.recall(other, make, name="a") is not first
    assert keeper.recall(one, make, name="a") is first
    assert len(made) == 3


def test_another_subject_lets_the_things_of_the_last_go():
    keeper, owner = Keeper[object](), Owner()
    first = keeper.recall(owner, object, subject=1)
    assert keeper.recall(owner, object, subject=1) is first
    keeper.recall(owner, object, subject=2)
    assert keeper.recall(owner, object, subject=1) is not first


def test_what_is_kept_is_found_and_nothing_is_made():
    keeper, owner = Keeper[str](), Owner()
    assert keeper.find(owner, "subject") is None
    keeper.recall(owner, lambda: "thing", "subject", "name")
    found = [keeper.find(owner, *place) for place in (("subject", "name"), ("subject", "other"), ("other", "name"))]
    assert found == ["thing", None, None]
    assert keeper.find(Owner(), "subject", "name") is None


def test_things_go_with_their_owner():
    keeper, owner = Keeper[Owner](), Owner()
    thing = weakref.ref(keeper.recall(owner, Owner))
    assert thing() is not None
    del owner
    gc.collect()
    assert thing() is None


def test_many_threads_each_get_their_own_subject_s_thing():
    keeper, owner = Keeper[int](), Owner()

    def ask(subject):
        return keeper.recall(owner, lambda: subject, subject=subject) == subject

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [number % 3 for number in range(600)]))
    assert len(answers) == 600
    assert all(answers)
