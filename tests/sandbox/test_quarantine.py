from __future__ import annotations

from camera_edge.sandbox.quarantine import Policy, Quarantine

POLICY = Policy(faults=3, window_frames=10, rest_frames=5, longest_frames=12)


def rest(quarantine: Quarantine) -> int:
    """How many frames it is left alone from here."""
    return next(n for n in range(1000) if quarantine.admits())


def fail(quarantine: Quarantine, times: int) -> None:
    for _ in range(times):
        assert quarantine.admits()
        quarantine.fault("trap")


def test_faults_within_the_window_lead_to_a_rest() -> None:
    quarantine = Quarantine(POLICY)
    reasons = []
    for _ in range(3):
        fail(quarantine, 1)
        reasons.append(quarantine.reason)
    assert reasons == [None, None, "3 faults in 10 frames, the last: trap"]
    assert rest(quarantine) == 5
    assert quarantine.reason is None


def test_faults_far_apart_are_forgiven() -> None:
    quarantine = Quarantine(POLICY)
    for frame in range(100):
        assert quarantine.admits()
        if frame % 5 == 0:
            quarantine.fault("trap")
    assert quarantine.reason is None


def test_a_failed_trial_leads_back_at_once_for_longer_up_to_the_longest() -> None:
    quarantine = Quarantine(POLICY)
    fail(quarantine, 3)
    rests = []
    for _ in range(4):
        rests.append(rest(quarantine))
        quarantine.fault("fuel")
        assert quarantine.reason == "it failed its trial, the last: fuel"
    assert rests == [5, 10, 12, 12]


def test_a_trial_that_goes_well_wipes_the_slate() -> None:
    quarantine = Quarantine(POLICY)
    fail(quarantine, 3)
    rest(quarantine)
    quarantine.fault("trap")
    assert rest(quarantine) == 10
    assert all(quarantine.admits() for _ in range(11))
    fail(quarantine, 3)
    assert rest(quarantine) == 5
