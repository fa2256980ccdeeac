"""states.md: the life of a record, tried out with the very function that decides it."""

from __future__ import annotations

from collections import defaultdict, deque

from coursewire.errors import ContractError
from coursewire.storage.audit.states import NEW, PLANS, RESULT_EVENTS, Event, RecordState, State, after
from docs.generate.markdown import code, page, table
from docs.generate.sources import members

INTRO = """\
A record is about one item at one LMS. Three things of it make up its state: the **state** says what we know of the last operation, the
pending **operation** (create, update, retire, or none) what is still to happen, and **present** whether the LMS holds the item, or may hold it,
visible to learners. Nothing else decides; in particular no time stamp does. An event that is not listed for a
state cannot happen in it."""

DRAWING = """\
The states and the events between them; *plan* stands for the three events that plan. Steps that leave the state as it is
are in the table below only."""

EVENTS = {
    Event.PLAN_CREATE: "A run found that the LMS lacks the item.",
    Event.PLAN_UPDATE: "A run found that the LMS holds another payload than is wanted.",
    Event.PLAN_RETIRE: "A run found that the item is no longer wanted.",
    Event.CLAIM: "The item is about to leave; this is committed before the request.",
    Event.CONFIRM: "The LMS acknowledged this very item.",
    Event.REJECT: "The LMS refused it for good.",
    Event.FAIL: "It did not work and is tried again.",
    Event.DEFER: "It waits for a limit, or for the credentials.",
    Event.BLOCK: "A person must act at the LMS.",
    Event.DOUBT: "The request left and no answer came.",
}
"""The events that have no docstring of their own."""


def pages() -> dict[str, str]:
    """The page."""
    steps = reachable()
    states, events = members(State), members(Event)
    return {
        "states.md": page(
            "States of a record",
            INTRO,
            "## States",
            table(("state", "meaning"), [(code(state), _flat(states[state.name])) for state in State]),
            "## Events",
            table(
                ("event", "what happened"),
                [(code(event), EVENTS.get(event) or _flat(events[event.name])) for event in Event],
            ),
            "## Which event each result is",
            table(("result", "event"), [(kind.value, code(event)) for kind, event in RESULT_EVENTS.items()]),
            "## The drawing",
            DRAWING,
            _drawing(steps),
            "## Transitions",
            "Every state that a record can get into, and what follows from it.",
            _transitions(steps),
        )
    }


def reachable() -> list[tuple[RecordState, Event, RecordState]]:
    """Every step from every state that can be reached from a new record."""
    steps = []
    seen, waiting = {NEW}, deque([NEW])
    while waiting:
        before = waiting.popleft()
        for event in Event:
            try:
                follows = after(before, event)
            except ContractError:
                continue
            steps.append((before, event, follows))
            if follows not in seen:
                seen.add(follows)
                waiting.append(follows)
    return steps


def _drawing(steps: list[tuple[RecordState, Event, RecordState]]) -> str:
    arrows: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for before, event, follows in steps:
        if before.state is not follows.state:
            label = "plan" if event in PLANS else event.value
            arrows[_name(before.state), _name(follows.state)][label] = None
    names = [f'    state "{state.value}" as {_name(state)}' for state in State if " " in state.value]
    lines = [f"    {source} --> {target}: {', '.join(labels)}" for (source, target), labels in arrows.items()]
    return "\n".join(
        ["```mermaid", "stateDiagram-v2", *names, f"    [*] --> {_name(NEW.state)}", *lines, "```"]
    )


def _transitions(steps: list[tuple[RecordState, Event, RecordState]]) -> str:
    order = list(State)
    rows = [
        (
            code(before.state),
            _pending(before),
            _there(before),
            code(event),
            code(follows.state),
            _pending(follows),
            _there(follows),
        )
        for before, event, follows in sorted(
            steps,
            key=lambda step: (
                order.index(step[0].state),
                _pending(step[0]),
                step[0].present,
                list(Event).index(step[1]),
            ),
        )
    ]
    return table(("state", "pending", "present", "event", "next state", "pending", "present"), rows)


def _name(state: State) -> str:
    return state.value.replace(" ", "_")


def _pending(before: RecordState) -> str:
    return before.operation.value if before.operation else "–"


def _there(before: RecordState) -> str:
    return "yes" if before.present else "no"


def _flat(text: str) -> str:
    return " ".join(text.removeprefix("Settling:").split())
