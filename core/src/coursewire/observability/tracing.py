"""Traces by OpenTelemetry: spans of requests, of calls to LMSs, of statements and of jobs.

Off unless the setting ``traces`` is on; then nothing of OpenTelemetry is loaded, and a span costs one comparison.
A span has what is named here and no more: never a query, a body, a header, or a path as it was asked for, since all
of these may hold a secret or a learner.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from coursewire.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.trace import Span, Tracer, TracerProvider
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import ExceptionContext

SpanKind = Literal["internal", "server", "client"]

_tracer: Tracer | None = None
_OPEN = "coursewire spans"


def switch_on(provider: TracerProvider | None = None) -> None:
    """Switch spans on.

    Args:
        provider: Provider that takes the spans; None for the process's own, which a host service sets up as it likes.

    Raises:
        SetupError: The extra ``otel`` is not installed.
    """
    global _tracer  # noqa: PLW0603 - a process has one tracer
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    _tracer = (provider or trace.get_tracer_provider()).get_tracer("coursewire")


def switch_off() -> None:
    """Switch spans off."""
    global _tracer  # noqa: PLW0603 - as above
    _tracer = None


def send_away() -> None:
    """Send this process's spans by OTLP over HTTP, as the ``OTEL_...`` variables of the environment say.

    An existing set-up stays.

    Raises:
        SetupError: The extra ``otel`` is not installed.
    """
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        resource = Resource.create({"service.name": "coursewire"}).merge(OTELResourceDetector().detect())
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
    switch_on()


def is_on() -> bool:
    """Return True if spans are made."""
    return _tracer is not None


def watch_engine(engine: Engine) -> None:
    """Make spans of a database's statements, with their text, in which values are placeholders, and no driver's message."""
    from sqlalchemy import event  # noqa: PLC0415 - loaded by whoever has an engine

    system = engine.dialect.name

    def begin(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if _tracer is None:
            return
        from opentelemetry.trace import SpanKind as Kinds  # noqa: PLC0415 - loaded by now

        verb = statement.split(None, 1)[0].upper()
        facts = {"db.system.name": system, "db.operation.name": verb, "db.query.text": statement}
        begun = _tracer.start_span(f"{verb} {system}", kind=Kinds.CLIENT, attributes=facts)
        connection.info.setdefault(_OPEN, []).append(begun)

    def end(connection: Connection, *_: object) -> None:
        if spans := connection.info.get(_OPEN):
            spans.pop().end()

    def fail(context: ExceptionContext) -> None:
        spans = context.connection.info.get(_OPEN) if context.connection is not None else None
        if spans:
            failed = spans.pop()
            failed.set_attribute("error.type", type(context.original_exception).__name__)
            failed.end()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


def span(
    name: str,
    *,
    kind: SpanKind = "internal",
    parent: Mapping[str, str] | None = None,
    **attributes: str | int,
) -> AbstractContextManager[Span | None]:
    """Make a span around a block; yield None if traces are off.

    An error within the block leaves its class in the span, never its message.

    Args:
        name: Name of the span, one of few different ones.
        kind: Kind of the span: server, client or internal.
        parent: Headers of a request, which may name the span that it is a part of.
        attributes: Attributes of the span, with two underscores for a dot in the name.
    """
    if _tracer is None:
        return nullcontext()
    return _span(
        _tracer, name, kind, parent, {key.replace("__", "."): value for key, value in attributes.items()}
    )


@contextmanager
def _span(
    tracer: Tracer, name: str, kind: SpanKind, parent: Mapping[str, str] | None, attributes: dict[str, Any]
) -> Iterator[Span]:
    from opentelemetry.propagate import extract  # noqa: PLC0415 - loaded by now
    from opentelemetry.trace import SpanKind as Kinds  # noqa: PLC0415
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    with tracer.start_as_current_span(
        name,
        context=extract(parent) if parent is not None else None,
        kind=Kinds[kind.upper()],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(StatusCode.ERROR)
            raise


def _missing(error: ModuleNotFoundError) -> SetupError:
    return SetupError(
        "traces are asked for, and OpenTelemetry is not installed",
        why=f"there is no module {error.name}",
        next_step="Run: pip install 'coursewire[otel]', or leave the setting traces out.",
    )
